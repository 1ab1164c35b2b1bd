using Verify.History;

namespace Verify.Checkers;

/// <summary>The checkers of some guarantees over one history: feed it every event in order, then conclude once. Works equally while a run goes on.</summary>
public sealed class CheckerSuite
{
    private readonly RecordLedger ledger = new();
    private readonly List<(string Guarantee, IChecker Checker)> checkers = [];
    private GroupLedger? groups;
    private IReadOnlyList<Finding>? findings;
    private int position;

    private CheckerSuite()
    {
    }

    /// <param name="contract">What clients and broker agreed on.</param>
    /// <param name="guarantees">Those to check (see <see cref="Guarantee"/>); all of them when none is named.</param>
    /// <exception cref="ArgumentException">No such guarantee.</exception>
    public static CheckerSuite For(CheckContract contract, params IReadOnlyCollection<string> guarantees)
    {
        var suite = new CheckerSuite();
        if (guarantees.Except(Guarantee.All).FirstOrDefault() is { } unknown) throw new ArgumentException($"no such guarantee: {unknown}", nameof(guarantees));
        foreach (var guarantee in Guarantee.All)
            if (guarantees.Count == 0 || guarantees.Contains(guarantee)) suite.checkers.Add((guarantee, suite.Create(guarantee, contract)));
        return suite;
    }

    private IChecker Create(string guarantee, CheckContract contract) => guarantee switch
    {
        Guarantee.NoLostWrites => new NoLostWrites(ledger, contract),
        Guarantee.NoPhantomWrites => new NoPhantomWrites(ledger, contract),
        Guarantee.NoAbortedReads => new NoAbortedReads(ledger, contract),
        Guarantee.NoDuplicates => new NoDuplicates(ledger, contract),
        Guarantee.StableOffsets => new StableOffsets(ledger, contract),
        Guarantee.Ordering => new Ordering(ledger, contract),
        Guarantee.ConsistentPolls => new ConsistentPolls(ledger, contract),
        Guarantee.AtLeastOnce => new AtLeastOnce(ledger, Groups(contract), contract),
        Guarantee.AtMostOnce => new AtMostOnce(ledger, Groups(contract), contract),
        Guarantee.FencedZombies => new FencedZombies(Groups(contract), contract),
        Guarantee.CommittedOffsets => new CommittedOffsets(Groups(contract), contract),
        Guarantee.ReplicaAgreement => new ReplicaAgreement(contract),
        Guarantee.TimelyDelivery => new CompactedNewest(ledger, contract),
        Guarantee.MetadataAgreement => new MetadataAgreement(contract),
        Guarantee.Recovery => new Recovery(contract),
        _ => throw new ArgumentException($"no such guarantee: {guarantee}", nameof(guarantee)),
    };

    private GroupLedger Groups(CheckContract contract) => groups ??= new GroupLedger(ledger, contract);

    /// <summary>Events so far.</summary>
    public int Count => position;

    public void Observe(in HistoryEvent e)
    {
        var entries = ledger.Observe(e, position);
        groups?.Observe(e, position);
        var noted = new LedgerEvent(e, position, entries);
        foreach (var (_, checker) in checkers) checker.Observe(noted);
        position++;
    }

    public void ObserveAll(HistoryLog log)
    {
        foreach (var e in log) Observe(e);
    }

    /// <summary>One finding per guarantee, in the order of <see cref="Guarantee.All"/>. Nothing may be observed afterwards; asking again gives the same.</summary>
    public IReadOnlyList<Finding> Conclude() => findings ??= [.. checkers.Select(static c => c.Checker.Conclude())];

    /// <summary>
    /// Every record that an anomaly befell, however many: for lost-write, unseen, phantom-record, G1a, duplicate, inconsistent-offsets and group-loss; none for others.
    /// After <see cref="Conclude"/>.
    /// </summary>
    public IEnumerable<AffectedRecord> Affected(string anomaly) => checkers.SelectMany(c => c.Checker.Affected(anomaly));
}
