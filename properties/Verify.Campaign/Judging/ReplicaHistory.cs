using Broker.Runtime;
using Chaos.Simulation;
using Verify.Checkers;
using Verify.History;

namespace Verify.Campaign.Judging;

/// <summary>Replica agreement, judged from a run's journal: what nodes showed becomes <c>observe</c> events, one at a time.</summary>
internal static class ReplicaHistory
{
    public static Finding Check(Journal journal, HistoryLog clients, CheckContract contract)
    {
        var suite = CheckerSuite.For(contract, [Guarantee.ReplicaAgreement]);
        var one = new HistoryLog(clients.Keys, clients.Names);
        var recorder = new HistoryRecorder(one, static () => 0);
        var keys = new Dictionary<TopicPartition, int>();
        var values = new List<long>();
        for (var i = 0; i < journal.Count; i++)
        {
            var seen = journal[i].What;
            if (KindOf(seen.Kind) is not { } kind) continue;
            var key = seen.Partition.Topic is null ? -1 : KeyOf(seen.Partition, keys, recorder);
            values.Clear();
            if (kind == ObserveKind.Appended) BatchValues.Read(seen.Bytes, values, seen.EndOffset - seen.Offset);
            var detail = new EventDetail { Kind = kind, Node = seen.Node.Value, Key = key, Epoch = seen.Epoch, Offset = seen.Offset, EndOffset = seen.EndOffset };
            if (kind == ObserveKind.Replicated)
            {
                // One event for each stretch without a gap: what was compacted away before it was copied is not there.
                var next = -1L;
                foreach (var (offset, value) in BatchValues.Placed(seen.Bytes, seen.EndOffset))
                {
                    if (values.Count > 0 && offset != next)
                    {
                        Show(detail);
                        values.Clear();
                    }
                    if (values.Count == 0) detail = detail with { Offset = offset };
                    values.Add(value);
                    next = offset + 1;
                }
            }
            Show(detail);
        }
        return suite.Conclude()[0];

        void Show(in EventDetail detail)
        {
            recorder.Observe(detail, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(values));
            suite.Observe(one[0]);
            one.Clear();
        }
    }

    private static int KeyOf(TopicPartition partition, Dictionary<TopicPartition, int> keys, HistoryRecorder recorder)
    {
        if (!keys.TryGetValue(partition, out var key)) keys.Add(partition, key = recorder.Key(partition.ToString()));
        return key;
    }

    private static ObserveKind? KindOf(ObservationKind kind) => kind switch
    {
        ObservationKind.NodeStarted => ObserveKind.NodeStarted,
        ObservationKind.Crashed => ObserveKind.Crashed,
        ObservationKind.PowerLost => ObserveKind.PowerLost,
        ObservationKind.LogRecovered => ObserveKind.LogRecovered,
        ObservationKind.Appended => ObserveKind.Appended,
        ObservationKind.Replicated => ObserveKind.Replicated,
        ObservationKind.Truncated => ObserveKind.Truncated,
        ObservationKind.HighWatermark => ObserveKind.HighWatermark,
        ObservationKind.BecameLeader => ObserveKind.BecameLeader,
        _ => null,
    };
}
