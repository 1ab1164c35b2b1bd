using System.Collections.Immutable;

namespace Verify.Promises;

/// <summary>How a commit ended, as far as its member knew.</summary>
public enum CommitFate
{
    Confirmed,

    /// <summary>The member was told that it did not take effect, and never will.</summary>
    Refused,

    /// <summary>Never answered, or answered so that it may have taken effect.</summary>
    Unknown,
}

/// <summary>A commit past the record in question. Times are positions in the history.</summary>
/// <param name="Ended"><see cref="long.MaxValue"/>: never.</param>
public sealed record PassingCommit(CommitFate Fate, long Invoked, long Ended);

/// <summary>One member's time with the partition of the record: from an assignment until it was given up, or the process died. Times are positions in the history.</summary>
/// <param name="Asked">When it asked where the group stands.</param>
/// <param name="Told">When it was answered.</param>
/// <param name="Begins">Where it was told that the group stands: it reads from there.</param>
/// <param name="Processed">When it processed the record; empty: it did not.</param>
/// <param name="Commits">Its commits past the record, in order.</param>
/// <param name="Crashed">When its process died; null: it did not while it had the partition.</param>
public sealed record Tenure(int Process, long Asked, long Told, long Begins, ImmutableArray<long> Processed, ImmutableArray<PassingCommit> Commits, long? Crashed);

/// <summary>What the members of one group did about one record, from the history: all that had its partition, in the order in which they asked.</summary>
public sealed record GroupEvidence(long Offset, ImmutableArray<Tenure> Tenures);

/// <summary>Whether what befell a record in a group is permitted: by the configuration, and by what its members did and suffered. Anything that a right coordinator and client would not do leaves it without an excuse.</summary>
public static class GroupExcuses
{
    /// <summary>The excuse for a group-loss or group-double-consume, or null.</summary>
    public static Excuse? For(string anomaly, Configuration configuration, RunEvidence run, GroupEvidence group)
    {
        ArgumentNullException.ThrowIfNull(group);
        var excuse = anomaly switch
        {
            AnomalyWords.GroupLoss => ForLoss(group),
            AnomalyWords.GroupDoubleConsume => ForRepetition(group),
            _ => null,
        };
        return excuse is not null && PromiseMatrix.Permits(configuration, run, anomaly, excuse) ? excuse : null;
    }

    /// <summary>
    /// Every member that may have committed past the record had it, and then crashed, or did not learn that its commit had taken effect. Where the group was said to stand beyond the record before anybody had committed
    /// past it, that was not the members' doing.
    /// </summary>
    private static Excuse? ForLoss(GroupEvidence group)
    {
        var causes = group.Tenures.Where(tenure => tenure.Begins <= group.Offset).Select(tenure => (Tenure: tenure, Commit: tenure.Commits.FirstOrDefault(commit => commit.Fate != CommitFate.Refused)))
            .Where(static one => one.Commit is not null).Select(static one => (one.Commit!.Invoked, Excuse: CauseOfSkipping(one.Tenure, one.Commit))).ToList();
        if (causes.Count == 0 || causes.Exists(static cause => cause.Excuse is null)) return null;
        var first = causes.Min(static cause => cause.Invoked);
        return group.Tenures.Any(tenure => tenure.Begins > group.Offset && tenure.Told < first) ? null : causes[^1].Excuse;
    }

    private static Excuse? CauseOfSkipping(Tenure tenure, PassingCommit commit) =>
        tenure.Crashed > commit.Invoked ? Excuse.CrashBeforeProcessing
        : tenure.Commits.Any(static one => one.Fate == CommitFate.Confirmed) ? null
        : Excuse.CommitUnconfirmed;

    /// <summary>Whoever processed it again had asked before any commit past it was confirmed: so the group stood before it, by right.</summary>
    private static Excuse? ForRepetition(GroupEvidence group)
    {
        var processed = group.Tenures.Where(static tenure => !tenure.Processed.IsEmpty).ToList();
        if (processed.Count < 2 || processed.Exists(tenure => tenure.Processed.Length > 1 || tenure.Begins > group.Offset)) return null;
        var last = processed[^1].Asked;
        if (group.Tenures.Any(tenure => tenure.Commits.Any(commit => commit.Fate == CommitFate.Confirmed && commit.Ended < last))) return null;
        var first = processed[0];
        return first.Crashed is { } crashed && crashed < last ? Excuse.CrashBeforeCommit
            : first.Commits.Any(commit => commit.Invoked < last && commit.Fate != CommitFate.Confirmed) ? Excuse.CommitUnconfirmed
            : Excuse.RebalanceBeforeCommit;
    }
}
