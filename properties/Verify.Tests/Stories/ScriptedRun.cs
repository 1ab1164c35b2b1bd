using System.Collections.Immutable;
using System.Text;
using Broker.Protocol;
using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;
using Verify.Campaign.Running;
using Verify.History;

namespace Verify.Tests.Stories;

/// <summary>A run written down by hand: what nodes were seen doing and what clients recorded, each at its time since the workload began.</summary>
internal sealed class ScriptedRun
{
    private static readonly TimeSpan Boot = TimeSpan.FromSeconds(1);
    private readonly List<(TimeSpan At, int Node, Observation What)> observations = [];
    private readonly List<(TimeSpan At, Action<HistoryRecorder> What)> events = [];

    public static readonly TopicPartition T0 = new("t", 0);

    /// <param name="ms">Negative: while the cluster came up.</param>
    public ScriptedRun Seen(double ms, int node, Observation what)
    {
        observations.Add((Boot + TimeSpan.FromMilliseconds(ms), node, what with { Node = new NodeId(node) }));
        return this;
    }

    public ScriptedRun Recorded(double ms, Action<HistoryRecorder> what)
    {
        events.Add((Boot + TimeSpan.FromMilliseconds(ms), what));
        return this;
    }

    /// <summary>A leader received, and stored, one record.</summary>
    public ScriptedRun Appended(double ms, int node, int epoch, long offset, long value) => this
        .Seen(ms, node, new Observation(ObservationKind.Appended, default, T0, epoch, offset, offset + 1, Bytes: Batch(0, value)))
        .Seen(ms, node, new Observation(ObservationKind.ProduceReceived, default, T0, epoch, offset, offset + 1, 0, Bytes: Batch(0, value)));

    public ScriptedRun Replicated(double ms, int node, int leader, int epoch, long offset, params long[] values) =>
        Seen(ms, node, new Observation(ObservationKind.Replicated, default, T0, epoch, offset, offset + values.Length, leader, Bytes: Batch(offset, values)));

    public RunRecord Play(Scenario scenario, params IReadOnlyList<FaultOutcome> faults)
    {
        var world = new SimWorld(1);
        foreach (var script in observations.GroupBy(one => one.Node))
        {
            world.AddNode(new NodeId(script.Key), $"node-{script.Key}", $"node-{script.Key}", async host =>
            {
                foreach (var (at, _, what) in script.OrderBy(one => one.At))
                {
                    await host.Time.DelayAsync(at - world.Now);
                    host.Observe(what);
                }
            });
        }
        world.StartAll();
        var recorder = new HistoryRecorder(new HistoryLog(), () => world.Now.Ticks * TimeSpan.NanosecondsPerTick);
        Recorded(scenario.Length.TotalMilliseconds, static it => it.Heal());
        world.Run(async () =>
        {
            foreach (var (at, what) in events.OrderBy(one => one.At))
            {
                await world.Time.DelayAsync(at - world.Now);
                what(recorder);
            }
            await world.Time.DelayAsync(TimeSpan.FromSeconds(1));
        }, TimeSpan.FromMinutes(1));
        return new RunRecord(scenario, recorder.Log, world.Journal, faults, ImmutableSortedDictionary<string, int>.Empty, [], 0x2a, world.Now, Ready: true, TimeSpan.FromSeconds(1));
    }

    private static byte[] Batch(long offset, params long[] values)
    {
        var batch = new RecordBatchBuilder { BaseOffset = offset };
        foreach (var value in values) batch.Append(0, null, Encoding.ASCII.GetBytes(value.ToString()));
        return batch.ToArray();
    }
}
