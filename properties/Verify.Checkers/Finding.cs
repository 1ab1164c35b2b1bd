namespace Verify.Checkers;

public enum Verdict
{
    Held,
    Violated,

    /// <summary>Not exercised, or it cannot be told. Never counts as held.</summary>
    Unknown,
}

/// <summary>One instance of an anomaly: enough to explain it to someone who was not there.</summary>
/// <param name="Key">Partition, or topic.</param>
/// <param name="Offsets">Involved, in the order that the note tells.</param>
/// <param name="Values">As written in the history.</param>
/// <param name="Processes">Clients (or nodes, for what nodes showed) in the order of <paramref name="Events"/> where both are known.</param>
/// <param name="Events">Positions in the history, from 0.</param>
/// <param name="Note">One sentence.</param>
public sealed record AnomalyCase(string Key, IReadOnlyList<long> Offsets, IReadOnlyList<string> Values, IReadOnlyList<int> Processes, IReadOnlyList<long> Events, string Note);

/// <param name="Name">See <see cref="AnomalyName"/>.</param>
/// <param name="Count">All instances.</param>
/// <param name="Breaks">False where the contract permits it: reported, but no violation.</param>
/// <param name="Cases">The worst few, worst first.</param>
public sealed record Anomaly(string Name, long Count, bool Breaks, IReadOnlyList<AnomalyCase> Cases);

/// <summary>What one checker has to say about one guarantee.</summary>
/// <param name="Guarantee">See <see cref="Checkers.Guarantee"/>.</param>
/// <param name="Verdict">What was seen, whatever was promised.</param>
/// <param name="Anomalies">Those that were found.</param>
/// <param name="Of">What was at stake: acknowledged records (acks=0: sent), records read, comparisons made.</param>
/// <param name="Exercised">Whether the history let the guarantee be checked at all.</param>
/// <param name="Why">The reason of an unknown verdict.</param>
public sealed record Finding(string Guarantee, Verdict Verdict, IReadOnlyList<Anomaly> Anomalies, long Of, bool Exercised, string? Why = null)
{
    /// <summary>Violated if something broke it; else unknown if it was not exercised; else held.</summary>
    internal static Finding From(string guarantee, long of, string? notExercised, params CaseList[] lists)
    {
        var found = lists.Where(static l => l.Count > 0).Select(static l => l.ToAnomaly()).ToArray();
        var verdict = found.Any(static a => a.Breaks) ? Verdict.Violated : notExercised is null ? Verdict.Held : Verdict.Unknown;
        return new Finding(guarantee, verdict, found, of, notExercised is null, verdict == Verdict.Unknown ? notExercised : null);
    }
}

/// <summary>A record that an anomaly befell, for those who must judge each of them.</summary>
/// <param name="KeyId">Partition, as numbered by the history.</param>
/// <param name="Value">Its value, as numbered by the history.</param>
/// <param name="Offset">Where it was acknowledged, or else first read; -1 when never known.</param>
/// <param name="OtherOffsets">Further offsets at which it was seen.</param>
/// <param name="Process">Who sent it; -1 when nobody did.</param>
/// <param name="Invoked">Position of the invocation in the history; -1 when there is none.</param>
/// <param name="Acknowledged">Position of the acknowledgement; -1 when there is none.</param>
public sealed record AffectedRecord(int KeyId, long Value, long Offset, IReadOnlyList<long> OtherOffsets, int Process, int Invoked, int Acknowledged);
