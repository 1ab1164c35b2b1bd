namespace Verify.Checkers;

/// <summary>Counts every instance of an anomaly and keeps the worst few; among equals the first found.</summary>
internal sealed class CaseList(string anomaly, int limit, bool breaks = true)
{
    private readonly List<(long Severity, AnomalyCase Case)> kept = [];

    public long Count { get; private set; }

    /// <summary>Counts one more. True when it is bad enough to be kept: then build its case and keep it.</summary>
    public bool Count1(long severity = 0)
    {
        Count++;
        return limit > 0 && (kept.Count < limit || severity > kept[^1].Severity);
    }

    /// <summary>Counts instances that share one case.</summary>
    public bool CountMany(long instances, long severity)
    {
        Count += instances - 1;
        return Count1(severity);
    }

    public void Keep(long severity, AnomalyCase instance)
    {
        var at = kept.Count;
        while (at > 0 && kept[at - 1].Severity < severity) at--;
        kept.Insert(at, (severity, instance));
        if (kept.Count > limit) kept.RemoveAt(limit);
    }

    public void Keep(AnomalyCase instance) => Keep(0, instance);

    public Anomaly ToAnomaly() => new(anomaly, Count, breaks, [.. kept.Select(static k => k.Case)]);
}
