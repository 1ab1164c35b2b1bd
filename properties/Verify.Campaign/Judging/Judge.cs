using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.Checkers;
using Verify.Promises;
using Verify.Workloads;
using ClientAcks = Verify.Checkers.Acks;
using PromisedAcks = Verify.Promises.Acks;

namespace Verify.Campaign.Judging;

/// <summary>Judges a run: what was seen, what was promised there, and for each case whether a right broker and client may do that.</summary>
public static class Judge
{
    private static readonly string[] OfLog =
    [
        Guarantee.NoLostWrites, Guarantee.NoPhantomWrites, Guarantee.NoDuplicates, Guarantee.StableOffsets, Guarantee.Ordering, Guarantee.ConsistentPolls, Guarantee.Recovery,
    ];

    private static readonly string[] OfCompaction = [.. OfLog, Guarantee.TimelyDelivery];

    private static readonly string[] OfGroups = [Guarantee.AtLeastOnce, Guarantee.AtMostOnce, Guarantee.FencedZombies, Guarantee.CommittedOffsets];

    /// <summary>More than any record takes up, its batch included: so many records at least are in the bytes that are kept, and not only in such as a new leader may cut.</summary>
    private const int AmplePerRecord = 256;

    private static readonly string[] OfMetadata = [Guarantee.MetadataAgreement, Guarantee.Recovery];

    public static RunVerdict Of(RunRecord run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var scan = new RunScan(run);
        var lives = new Lazy<RecordLives>(() => new RecordLives(run), isThreadSafe: false);
        var offsets = new Lazy<OffsetLives>(() => new OffsetLives(run), isThreadSafe: false);
        var coordinators = new Lazy<StaleCoordinators>(() => new StaleCoordinators(run), isThreadSafe: false);
        var evidence = scan.Evidence;
        if (MayLoseSynced(run)) evidence = evidence with { DiskLossesBeforeFullIsr = lives.Value.MostDiskLosses, OffsetsDiskLossesBeforeFullIsr = offsets.Value.MostDiskLosses };
        if (!run.Scenario.Plan.Members.IsEmpty) evidence = evidence with { OffsetsExpired = Expired(run, offsets), StaleCoordinators = coordinators.Value.Asked };
        var permitted = PromiseMatrix.Permissions.Where(permission => permission.Applies(run.Scenario.Configuration, evidence)).SelectMany(permission => permission.Anomalies).ToHashSet();

        var cases = new CaseJudge(run, evidence, lives, offsets, coordinators);
        var guarantees = new List<GuaranteeVerdict>();
        foreach (var finding in Findings(run))
        {
            if (IsHidden(finding, run)) continue;
            var violations = cases.Judge(finding);
            var seen = violations.Count == 0 && Missed(run) is not null ? ResultVerdict.Unknown : violations.Count > 0 ? ResultVerdict.Violated : finding.Verdict == Verdict.Unknown && !Recovered(finding, run) ? ResultVerdict.Unknown : ResultVerdict.Held;
            var promised = !GuaranteeCatalogue.All.First(known => known.Name == finding.Guarantee).Anomalies.Any(permitted.Contains);
            var of = finding.Guarantee == Guarantee.Recovery ? 1 : finding.Of;
            guarantees.Add(new GuaranteeVerdict(finding.Guarantee, seen, promised, of, UnitOf(finding.Guarantee, run), violations, seen == ResultVerdict.Unknown ? Missed(run) ?? finding.Why : null));
        }
        return new RunVerdict(evidence, guarantees, FigureScan.Of(run, scan, evidence.LeaderChanges));
    }

    /// <summary>Nothing outlives the default in a run, whatever the clocks say.</summary>
    private static int Expired(RunRecord run, Lazy<OffsetLives> offsets) => run.Scenario.Configuration.WasGiven(SettingCatalogue.OffsetsRetention) ? offsets.Value.Expired : 0;

    private static IEnumerable<Finding> Findings(RunRecord run)
    {
        var workload = run.Scenario.Plan.Workload;
        var contract = ContractOf(run.Scenario.Configuration) with { Compacted = workload == WorkloadNames.Compaction, MustKeep = workload == WorkloadNames.Log ? (int?)(run.Scenario.Configuration.RetentionBytes / AmplePerRecord) : null };
        var suite = CheckerSuite.For(contract, workload switch
        {
            WorkloadNames.Log => run.Scenario.Plan.Members.IsEmpty ? OfLog : [.. OfLog, .. OfGroups],
            WorkloadNames.Compaction => OfCompaction,
            WorkloadNames.Metadata => OfMetadata,
            _ => throw new InvalidOperationException($"unknown workload {workload}"),
        });
        suite.ObserveAll(run.History);
        return WorkloadNames.SendsRecords(workload) && run.IsTraced ? suite.Conclude().Append(ReplicaHistory.Check(run.Journal, run.History, contract)) : suite.Conclude();
    }

    /// <summary>The run itself waited for full ISRs and leaders, and got them: that is recovery, also where no client sends (workload metadata).</summary>
    private static bool Recovered(Finding finding, RunRecord run) => finding.Guarantee == Guarantee.Recovery && run.RecoveredAfter is not null;

    /// <summary>Every case is judged, so every case is kept.</summary>
    private static CheckContract ContractOf(Configuration configuration) => new()
    {
        Acks = configuration.Acks switch
        {
            PromisedAcks.Zero => ClientAcks.None,
            PromisedAcks.One => ClientAcks.Leader,
            PromisedAcks.All => ClientAcks.All,
            _ => throw new InvalidOperationException($"unknown acks {configuration.Acks}"),
        },
        Idempotence = configuration.Idempotence,
        Commit = configuration.Commit == Commit.Before ? CommitMode.BeforeProcessing : CommitMode.AfterProcessing,
        CaseLimit = int.MaxValue,
    };

    /// <summary>Who commits unseen exercises nothing that is about commits.</summary>
    private static bool IsHidden(Finding finding, RunRecord run) => run.HidesCommits && finding is { Guarantee: Guarantee.FencedZombies or Guarantee.CommittedOffsets, Verdict: Verdict.Unknown };

    /// <summary>Of real processes something was asked that did not happen: such a run shows nothing.</summary>
    private static string? Missed(RunRecord run) =>
        run.Missed.Count > 0 ? $"not as planned: {string.Join("; ", run.Missed)}" : !run.IsTraced && run.Scenario.Faults.Count > 0 && run.Bitten.Count == 0 ? "no fault of the schedule bit" : null;

    private static bool MayLoseSynced(RunRecord run) =>
        run.Bitten.ContainsKey(Chaos.Faults.FaultWord.Disk) || run.Bitten.ContainsKey(Chaos.Faults.FaultWord.DiskLies) || run.Bitten.ContainsKey(Chaos.Faults.FaultWord.BitRot);

    private static string UnitOf(string guarantee, RunRecord run) => guarantee switch
    {
        Guarantee.NoLostWrites => run.Scenario.Configuration.Acks == PromisedAcks.Zero ? "sent" : "acknowledged",
        Guarantee.NoPhantomWrites => "read",
        Guarantee.NoDuplicates => "records placed",
        Guarantee.StableOffsets => "offsets",
        Guarantee.MetadataAgreement => "topics listed or missed",
        Guarantee.AtLeastOnce => "owed to groups",
        Guarantee.AtMostOnce => "processed",
        Guarantee.FencedZombies => "commits",
        Guarantee.CommittedOffsets => "offsets asked for",
        Guarantee.Recovery => "runs",
        _ => "comparisons",
    };
}
