using System.Globalization;
using Chaos.Faults;
using Verify.Campaign.Running;
using Verify.Checkers;
using Verify.History;
using Verify.Promises;

namespace Verify.Campaign.Judging;

/// <summary>
/// Readers that went on over a cut as if nothing had been: handed a record that is there to the end right after one whose place another record has taken, and not told that their position had moved. What was lost may have been
/// lost by right; a right client notices it (KIP-320), so for going on there is no excuse.
/// </summary>
internal static class SilentCuts
{
    public static IEnumerable<Violation> Find(RunRecord run, LastRead last, RecordLives lives)
    {
        var before = new Dictionary<(int Process, int Key), (long Offset, long Value)>();
        var found = new List<Violation>();
        foreach (var e in run.History)
        {
            switch (e.Function)
            {
                case EventFunction.Assign or EventFunction.Subscribe or EventFunction.Crash:
                    var gone = e.Process;
                    foreach (var reader in before.Keys.Where(reader => reader.Process == gone).ToArray()) before.Remove(reader);
                    break;
                case EventFunction.Assigned or EventFunction.Revoked when e.Type != EventType.Invoke:
                    foreach (var key in e.Keys) before.Remove((e.Process, key));
                    break;
                case EventFunction.Poll when e.Type == EventType.Ok:
                    foreach (ref readonly var operation in e.Operations)
                        foreach (ref readonly var record in e.Records(operation))
                        {
                            if (before.TryGetValue((e.Process, record.Key), out var was) && IsCut(was, record, last) && IsOnePlace(record, e, lives)) found.Add(Tell(e, was, record, last));
                            before[(e.Process, record.Key)] = (record.Offset, record.Value);
                        }
                    break;
            }
        }
        return found;
    }

    private static bool IsCut((long Offset, long Value) was, in PolledRecord now, LastRead last) =>
        now.Offset > was.Offset && last.ValueAt(now.Key, now.Offset) == now.Value && last.ValueAt(now.Key, was.Offset) is { } there && there != was.Value;

    /// <summary>Not by chance at the same offset in both histories, as what a producer sent again may be.</summary>
    private static bool IsOnePlace(in PolledRecord record, in HistoryEvent e, RecordLives lives)
    {
        var offset = record.Offset;
        return lives.Of(NodeRef.ParsePartition(e.KeyNames[record.Key]), record.Value).Placements.Count(placement => placement.Offset == offset) == 1;
    }

    private static Violation Tell(in HistoryEvent e, (long Offset, long Value) was, in PolledRecord now, LastRead last)
    {
        var skipped = last.ValueAt(now.Key, was.Offset)!.Value;
        return new Violation(Guarantee.ConsistentPolls, AnomalyWords.PollSkip, e.KeyNames[now.Key], [Text(skipped), Text(was.Value), Text(now.Value)], [was.Offset, now.Offset],
            $"process {e.Process} was handed value {now.Value} at offset {now.Offset} after value {was.Value} at offset {was.Offset}, where value {skipped} stands: the log had been cut, and it was not told", null);
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
