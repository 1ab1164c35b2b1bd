namespace Verify.Campaign.Results;

/// <summary>Several results, such as the shards of one campaign, as one: counts add up, longest times are the longest of all.</summary>
public static class ResultMerge
{
    /// <summary>Cells of the same configuration become one; the others stand side by side in order of first appearance. Wall time is the longest, as if side by side.</summary>
    /// <remarks>A story's file name means one story in all results; whoever merges folders makes the names differ first.</remarks>
    /// <exception cref="ResultsDisagreeException">Other tool versions, or seeds that would count twice.</exception>
    public static CampaignResult Merge(IReadOnlyList<CampaignResult> results)
    {
        if (results.Count == 0) throw new ResultsDisagreeException("there is no result to merge");
        foreach (var result in results) RefuseOtherTool(results[0], result);
        RefuseCountingTwice(results);

        var stories = results.SelectMany(result => result.Stories).DistinctBy(story => story.File).ToDictionary(story => story.File);
        var cells = results.SelectMany(result => result.Cells).GroupBy(KeyOf).Select(same => same.Aggregate((left, right) => Merge(left, right, stories))).ToArray();
        return results[0] with
        {
            Machine = Merge([.. results.Select(result => result.Machine)]),
            Command = string.Join("\n", results.Select(result => result.Command).Distinct()),
            Seeds = new SeedRange(results.Min(result => result.Seeds.From), results.Max(result => result.Seeds.To)),
            Shards = [.. results.SelectMany(result => result.Shards)],
            Varied = [.. results.SelectMany(result => result.Varied).Distinct()],
            Cells = cells,
            Stories = [.. cells.SelectMany(cell => cell.Guarantees).Select(guarantee => guarantee.Story).OfType<string>().Distinct().Where(stories.ContainsKey).Select(file => stories[file])],
            Power = results.Select(result => result.Power).FirstOrDefault(power => power is not null),
            Interrupted = Merge([.. results.Select(result => result.Interrupted).OfType<Interruption>()], results.Count),
            SimulatedSeconds = results.Sum(result => result.SimulatedSeconds),
            WallSeconds = results.Max(result => result.WallSeconds),
        };
    }

    /// <summary>Two cells are the same experiment when this is equal.</summary>
    private static string KeyOf(CellResult cell) =>
        string.Join("\n", [cell.System, cell.SystemVersion ?? "", cell.On, cell.Workload, cell.Mutant ?? "", .. cell.Configuration.OrderBy(setting => setting.Key, StringComparer.Ordinal).Select(setting => $"{setting.Key}={setting.Value}")]);

    private static void RefuseOtherTool(CampaignResult first, CampaignResult other)
    {
        if (first.Tool != other.Tool)
            throw new ResultsDisagreeException($"results of different tools do not add up: {first.Tool.Version} ({first.Tool.Commit}) and {other.Tool.Version} ({other.Tool.Commit})");
    }

    private static void RefuseCountingTwice(IReadOnlyList<CampaignResult> results)
    {
        for (var i = 0; i < results.Count; i++)
            for (var j = i + 1; j < results.Count; j++)
            {
                if (!results[i].Cells.Select(KeyOf).Intersect(results[j].Cells.Select(KeyOf)).Any()) continue;
                foreach (var left in results[i].Shards)
                    foreach (var right in results[j].Shards)
                        if (left.MayOverlap(right))
                            throw new ResultsDisagreeException(
                                $"results {i + 1} and {j + 1} would count the same runs twice: seeds {left.From}..{left.To} shard {left.Index}/{left.Of} and seeds {right.From}..{right.To} shard {right.Index}/{right.Of}");
            }
    }

    private static CellResult Merge(CellResult left, CellResult right, IReadOnlyDictionary<string, StoryTelling> stories) => left with
    {
        Exercised = Merge(left.Exercised, right.Exercised),
        Guarantees = [.. left.Guarantees.Concat(right.Guarantees).GroupBy(guarantee => guarantee.Name).Select(same => same.Aggregate((a, b) => Merge(a, b, stories)))],
        Availability = Merge(left.Availability, right.Availability),
        Throughput = Merge(left.Throughput, right.Throughput),
        LatencyMs = left.LatencyMs is { } a && right.LatencyMs is { } b ? a + b : left.LatencyMs ?? right.LatencyMs,
        DefaultsThatDiffer = [.. left.DefaultsThatDiffer.Union(right.DefaultsThatDiffer)],
        Notes = [.. left.Notes.Union(right.Notes)],
    };

    private static Exercised Merge(Exercised left, Exercised right) => new()
    {
        Runs = left.Runs + right.Runs,
        Operations = left.Operations + right.Operations,
        Acknowledged = left.Acknowledged + right.Acknowledged,
        Indeterminate = left.Indeterminate + right.Indeterminate,
        Failed = left.Failed + right.Failed,
        LeaderChanges = left.LeaderChanges + right.LeaderChanges,
        Faults = left.Faults + right.Faults,
        Events = left.Events + right.Events,
    };

    private static GuaranteeResult Merge(GuaranteeResult left, GuaranteeResult right, IReadOnlyDictionary<string, StoryTelling> stories) => left with
    {
        Runs = left.Runs + right.Runs,
        RunsPromised = left.RunsPromised + right.RunsPromised,
        RunsExercised = left.RunsExercised + right.RunsExercised,
        RunsPromisedExercised = left.RunsPromisedExercised + right.RunsPromisedExercised,
        RunsViolated = left.RunsViolated + right.RunsViolated,
        ViolationsPromised = left.ViolationsPromised + right.ViolationsPromised,
        ViolationsPermitted = left.ViolationsPermitted + right.ViolationsPermitted,
        Of = left.Of + right.Of,
        Anomalies = left.Anomalies + right.Anomalies,
        Excuses = left.Excuses + right.Excuses,
        Story = Better(left.Story, right.Story, stories),
        Power = left.Power ?? right.Power,
    };

    /// <summary>A broken promise is told before a permitted loss, then the shorter story, then the earlier seed.</summary>
    private static string? Better(string? left, string? right, IReadOnlyDictionary<string, StoryTelling> stories)
    {
        if (left is null || right is null) return left ?? right;
        if (!stories.TryGetValue(left, out var a)) return stories.ContainsKey(right) ? right : left;
        if (!stories.TryGetValue(right, out var b)) return left;
        return Rank(a).CompareTo(Rank(b)) <= 0 ? left : right;

        static (bool, int, int, int, ulong) Rank(StoryTelling story) =>
            (story.Excuse is not null, story.Faults.Count, story.Commands, story.Entries.Count, story.Seed);
    }

    private static Availability Merge(Availability left, Availability right)
    {
        var rightIsLonger = right.LongestOutageMs > (left.LongestOutageMs ?? -1);
        var measured = left.MeasuredRuns + right.MeasuredRuns;
        return new Availability(
            Longest(left.LongestOutageMs, right.LongestOutageMs),
            Longest(left.RecoveryMs, right.RecoveryMs),
            rightIsLonger ? right.LongestOutageSeed : left.LongestOutageSeed,
            measured == 0 ? null : ((left.MeanOutageMs ?? 0) * left.MeasuredRuns + (right.MeanOutageMs ?? 0) * right.MeasuredRuns) / measured,
            measured,
            left.LeaderlessMs + right.LeaderlessMs);
    }

    private static double? Longest(double? left, double? right) => left is { } a && right is { } b ? Math.Max(a, b) : left ?? right;

    /// <summary>Shards of a live campaign run one system each: the lowest rate is the one that every shard reached.</summary>
    private static Throughput? Merge(Throughput? left, Throughput? right) =>
        left is null || right is null ? left ?? right
        : new Throughput(
            Math.Min(left.SendsPerSecond, right.SendsPerSecond),
            Math.Min(left.ReceivesPerSecond, right.ReceivesPerSecond),
            Math.Min(left.BytesPerSecond, right.BytesPerSecond));

    private static MachineInfo Merge(IReadOnlyList<MachineInfo> machines)
    {
        var distinct = machines.Distinct().ToArray();
        return distinct.Length == 1 ? distinct[0] : new MachineInfo(
            Join(machine => machine.Os), Join(machine => machine.Cpu), distinct.Sum(machine => machine.Cores), distinct.Sum(machine => machine.MemoryBytes), Join(machine => machine.Runtime));

        string Join(Func<MachineInfo, string> part) => string.Join(" + ", distinct.Select(part).Distinct());
    }

    private static Interruption? Merge(IReadOnlyList<Interruption> interrupted, int of) =>
        interrupted.Count == 0 ? null
        : of == 1 ? interrupted[0]
        : new Interruption($"{interrupted.Count} of {of} parts are partial: {string.Join("; ", interrupted.Select(one => one.Reason).Distinct())}");
}

/// <summary>The message names what does not fit together.</summary>
public sealed class ResultsDisagreeException(string message) : Exception(message);
