using Chaos.Faults;
using Verify.Campaign.Hunting;
using Verify.Campaign.Running;
using Verify.Workloads;

namespace Verify.Campaign.Stories;

/// <summary>How much shrinking may cost.</summary>
/// <param name="Tries">Scenarios tried. Alone it keeps shrinking deterministic.</param>
/// <param name="Cpu">Processor time of the calling thread; null: no limit.</param>
public sealed record ShrinkBudget(int Tries = 400, TimeSpan? Cpu = null)
{
    public static readonly ShrinkBudget Default = new();
}

/// <summary>The smallest scenario found.</summary>
/// <param name="Sighting">What its run showed.</param>
/// <param name="Tries">Scenarios tried.</param>
/// <param name="Finished">False when the budget ended the search: it may not be minimal.</param>
public sealed record ShrinkResult(Scenario Scenario, Sighting Sighting, int Tries, bool Finished);

/// <summary>
/// Makes a failing scenario small: fewer faults, commands, clients, readers and partitions, a shorter run, shorter and plainer faults, fewer settings. Greedy: a
/// reduction is kept when the scenario still fails. Works on data alone; the seed of the world stays.
/// </summary>
public sealed class Shrinker
{
    private readonly Func<Scenario, Sighting?> reproduce;
    private readonly ShrinkBudget budget;
    private readonly TimeSpan began = ThreadTime.Now;
    private Scenario scenario;
    private Sighting sighting;
    private int tries = 1;

    private Shrinker(Scenario scenario, Sighting sighting, Func<Scenario, Sighting?> reproduce, ShrinkBudget budget)
    {
        this.scenario = scenario;
        this.sighting = sighting;
        this.reproduce = reproduce;
        this.budget = budget;
    }

    /// <param name="reproduce">Null when a scenario does not fail (any more), or not in the same way; see <see cref="Reproduction.Try"/>.</param>
    /// <returns>Null when <paramref name="scenario"/> itself does not fail.</returns>
    public static ShrinkResult? Shrink(Scenario scenario, Func<Scenario, Sighting?> reproduce, ShrinkBudget? budget = null) =>
        reproduce(scenario) is { } first ? new Shrinker(scenario, first, reproduce, budget ?? ShrinkBudget.Default).Shrink() : null;

    private bool MayGoOn => tries < budget.Tries && (budget.Cpu is not { } limit || ThreadTime.Now - began < limit);

    private ShrinkResult Shrink()
    {
        DropWhatDidNotBite();
        Pin();
        KeepTheFirstFaults();
        Shorten();
        for (var size = -1; size != Size && MayGoOn;)
        {
            size = Size;
            FewerFaults();
            BeginLater();
            FewerCommands();
            FewerParticipants();
        }
        Shorten();
        PlainerWorld();
        PlainerMembers();
        PlainerFaults();
        RounderTimes();
        FewerSettings();
        FewerFaults();
        FewerCommands();
        return new ShrinkResult(scenario, sighting, tries, MayGoOn);
    }

    private int Size => scenario.Faults.Count + scenario.Plan.Commands.Length + scenario.Plan.Clients + scenario.Plan.Readers + scenario.Plan.Partitions + scenario.Plan.Members.Length;

    /// <summary>Keeps the smaller scenario if it still fails.</summary>
    private bool Try(Scenario smaller) => smaller != scenario && Adopt(smaller);

    private bool Adopt(Scenario smaller)
    {
        if (!MayGoOn) return false;
        tries++;
        if (reproduce(smaller) is not { } seen) return false;
        (scenario, sighting) = (smaller, seen);
        return true;
    }

    private bool TryFaults(IEnumerable<Fault> faults) => Try(scenario with { Faults = new FaultSchedule(faults) });

    private bool TryCommands(IEnumerable<Command> commands) => Try(scenario with { Plan = scenario.Plan with { Commands = [.. commands] } });

    private void DropWhatDidNotBite()
    {
        if (sighting.Faults.Any(fault => !fault.Bit)) TryFaults(sighting.Faults.Where(fault => fault.Bit).Select(fault => fault.Fault));
    }

    /// <summary>
    /// Faults at the times and on the nodes that they had. "After the 137th batch" and "the leader" mean something else with every command that is left out; the
    /// reading comes back to events at the end (see <see cref="Reductions.AfterAnEvent"/>).
    /// </summary>
    private void Pin()
    {
        var pinned = scenario.Faults.Select((fault, index) => Reductions.Pinned(fault, sighting.Faults.FirstOrDefault(outcome => outcome.Index == index))).ToArray();
        if (TryFaults(pinned)) return;
        for (var index = 0; index < pinned.Length; index++)
            if (!Replace(index, pinned[index])) Replace(index, Reductions.JustLater(pinned[index]));   // a timer of the same moment may go first
    }

    /// <summary>Nothing much happens before the first fault: the run begins shortly before it.</summary>
    private void BeginLater()
    {
        if (scenario.Faults.Count == 0 || scenario.Faults.Any(fault => fault.When is not Trigger.At)) return;
        var first = scenario.Faults.Min(fault => ((Trigger.At)fault.When).Time);
        foreach (var prelude in Reductions.Preludes)
        {
            if (first < prelude * 2) return;
            if (Try(Reductions.From(scenario, first - prelude, prelude, keepEarlier: false)) || Try(Reductions.From(scenario, first - prelude, prelude, keepEarlier: true))) return;
        }
    }

    /// <summary>What was injected after the deed was done does not matter: the world before it stays as it was.</summary>
    private void KeepTheFirstFaults()
    {
        var inOrder = sighting.Faults.Where(fault => fault.At is not null).OrderBy(fault => fault.At).ThenBy(fault => fault.Index).Select(fault => fault.Index).ToArray();
        for (var keep = 0; keep < inOrder.Length; keep += Math.Max(1, keep / 2))
        {
            var kept = inOrder.Take(keep).ToHashSet();
            if (TryFaults(scenario.Faults.Where((_, index) => kept.Contains(index)))) return;
        }
    }

    /// <summary>A shorter run, without the commands and faults that it no longer reaches.</summary>
    private void Shorten()
    {
        foreach (var part in (double[])[0.125, 0.25, 0.5, 0.75])
        {
            var length = TimeSpan.FromMilliseconds(Math.Ceiling((scenario.Length * part).TotalMilliseconds / 100) * 100);
            if (Try(scenario with
            {
                Length = length,
                Plan = scenario.Plan with { Commands = [.. scenario.Plan.Commands.Where(command => command.At < length)] },
                Faults = new FaultSchedule(scenario.Faults.Where(fault => fault.When is not Trigger.At(var at) || at < length)),
            })) return;
        }
    }

    private void FewerFaults() => Minimal.Of([.. scenario.Faults], TryFaults, () => MayGoOn);

    private void FewerCommands() => Minimal.Of(scenario.Plan.Commands, TryCommands, () => MayGoOn);

    private bool TryMembers(IEnumerable<MemberPlan> members) => Try(scenario with { Plan = scenario.Plan with { Members = [.. members] } });

    private void FewerParticipants()
    {
        if (!scenario.Plan.Members.IsEmpty) Minimal.Of(scenario.Plan.Members, TryMembers, () => MayGoOn);
        var plan = scenario.Plan;
        foreach (var readers in (int[])[0, 1])
            if (readers < plan.Readers && Try(scenario with { Plan = plan with { Readers = readers } })) break;
        if (scenario.Plan.SeeksBack) Try(scenario with { Plan = scenario.Plan with { SeeksBack = false } });
        plan = scenario.Plan;
        if (plan.Clients > 1 && !Try(scenario with { Plan = plan with { Clients = 1, Commands = [.. plan.Commands.Select(command => command with { Client = 0 })] } }))
            Try(scenario with { Plan = Reductions.WithoutIdleClients(plan) });
        if (plan.Partitions > 1) Try(Reductions.OnPartitions(scenario, 1));
    }

    private void PlainerMembers()
    {
        foreach (var number in scenario.Plan.Members.Select(static member => member.Number).ToArray())
            foreach (var plainer in Reductions.PlainerMembers)
                TryMembers(scenario.Plan.Members.Select(member => member.Number == number ? plainer(member) : member));
    }

    private void PlainerFaults()
    {
        for (var index = 0; index < scenario.Faults.Count; index++)
        {
            if (sighting.Faults.FirstOrDefault(fault => fault.Index == index)?.Resolved is { } resolved) Replace(index, resolved);
            foreach (var plainer in Reductions.Plainer(scenario.Faults[index])) Replace(index, plainer);
            for (var halvings = 0; halvings < 6 && Reductions.Shorter(scenario.Faults[index]) is { } shorter && Replace(index, shorter); halvings++) continue;
            if (Reductions.AfterAnEvent(scenario.Faults[index], index, sighting) is { } afterEvent) Replace(index, afterEvent);
        }
    }

    private bool Replace(int index, Fault fault) => Try(scenario with { Faults = scenario.Faults.With(index, fault) });

    /// <summary>A world of the usual pace, or of the usual pace in most respects.</summary>
    private void PlainerWorld()
    {
        var (world, plain) = (scenario.World, WorldShape.Plain);
        if (Try(scenario with { World = plain })) return;
        foreach (var plainer in (WorldShape[])[world with { FetchBytes = plain.FetchBytes }, world with { QuorumPace = plain.QuorumPace }, world with { Flush = plain.Flush }, world with { Latency = plain.Latency }])
            Try(scenario with { World = plainer });
    }

    /// <summary>Whole hundreds of milliseconds are easier to read aloud than 1,283.4471.</summary>
    private void RounderTimes()
    {
        foreach (var unit in (int[])[100, 10, 1])
            if (TryCommands(scenario.Plan.Commands.Select(command => command with { At = Reductions.Rounded(command.At, unit) }))) break;
        for (var index = 0; index < scenario.Faults.Count; index++)
        {
            foreach (var unit in (int[])[100, 10, 1])
                if (Replace(index, Reductions.Rounded(scenario.Faults[index], unit))) break;
        }
    }

    private void FewerSettings()
    {
        foreach (var name in scenario.Configuration.Given.Keys)
            if (Reductions.WithoutSetting(scenario.Configuration, name) is { } fewer) Adopt(scenario with { Configuration = fewer });
    }
}
