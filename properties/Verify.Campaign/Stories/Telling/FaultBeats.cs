using Broker.Runtime;
using Chaos.Faults;
using Verify.Campaign.Results;
using Verify.Campaign.Running;

namespace Verify.Campaign.Stories.Telling;

/// <summary>The faults that bit, as bands, and their ends.</summary>
internal static class FaultBeats
{
    /// <param name="lostToPower">Losses of the record by power: those faults belong to its path.</param>
    public static IEnumerable<Beat> Of(RunRecord run, TimeSpan start, Cast cast, IReadOnlyCollection<(int Node, TimeSpan At)> lostToPower)
    {
        foreach (var outcome in run.Faults)
        {
            if (!outcome.Bit || outcome.Resolved is not { } fault || outcome.At is not { } at) continue;
            TimeSpan? until = fault.HowLong == TimeSpan.Zero ? null : EndOf(run, outcome.Index) - start ?? at + fault.HowLong;
            var (from, to) = Ends(fault);
            yield return new Beat(at, from, StoryKind.Fault, Happens(outcome, cast))
            {
                To = to,
                Until = until,
                Rank = 0,
                Focus = fault is Fault.Power && lostToPower.Any(lost => lost.Node == from && lost.At >= at && lost.At <= (until ?? at)),
            };
            if (until is { } end && Ended(fault) is { } text) yield return new Beat(end, from, StoryKind.Heal, text) { To = to, Rank = 0 };
        }
    }

    /// <summary>The schedule as sentences, names of nodes put in.</summary>
    public static IReadOnlyList<string> Sentences(RunRecord run, Cast cast) =>
        [.. run.Faults.Select(outcome => cast.WithNames(FaultText.Sentence(outcome.Fault, outcome.Resolved)) + (outcome.Bit ? "" : outcome.Vetoed ? " (left out: one power loss too many)" : " (changed nothing)"))];

    private static TimeSpan? EndOf(RunRecord run, int index)
    {
        foreach (var entry in run.Journal)
            if (entry.What.Kind == ObservationKind.FaultHealed && entry.What.Other == index) return entry.At;
        return null;
    }

    private static string Happens(FaultOutcome outcome, Cast cast)
    {
        var sentence = cast.WithNames(FaultText.Sentence(outcome.Fault, outcome.Resolved));
        return outcome.Fault.When is Trigger.At && sentence.LastIndexOf(", at ", StringComparison.Ordinal) is > 0 and var cut ? sentence[..cut] : sentence;
    }

    private static (int From, int? To) Ends(Fault fault)
    {
        var from = fault.Subject is NodeRef.Fixed(var node) ? node.Value : Beat.Nobody;
        var other = fault switch
        {
            Fault.Partition { To: [NodeRef.Fixed single] } => single,
            Fault.Delay { To: NodeRef.Fixed peer } => peer,
            Fault.LoseAnswer { To: NodeRef.Fixed peer } => peer,
            _ => null,
        };
        return (from, from == Beat.Nobody ? null : other?.Id.Value);
    }

    /// <summary>Null where the node itself is seen to come back, or where nothing ends.</summary>
    private static string? Ended(Fault fault) => fault switch
    {
        Fault.Crash or Fault.Power or Fault.Restart or Fault.Reset or Fault.MoveLeader or Fault.BitRot => null,
        Fault.Clock { Error: ClockError.Jump } => null,
        Fault.Pause => "runs again, with all that waited",
        Fault.Partition { From.Count: 1 } => "reaches the others again",
        Fault.Partition => "The two sides reach each other again.",
        Fault.Hold => "What was kept back is released.",
        Fault.Delay => "the delay is over",
        Fault.LagMetadata => "hears of metadata in time again",
        Fault.LoseAnswer => "its answers arrive again",
        Fault.Fence => "its heartbeats reach the controllers again",
        Fault.Clock => "its clock is right again",
        Fault.Disk => "its disk works again",
        Fault.DiskLies => "its disk tells the truth again",
        _ => throw new InvalidOperationException($"unknown fault {fault.GetType().Name}"),
    };
}
