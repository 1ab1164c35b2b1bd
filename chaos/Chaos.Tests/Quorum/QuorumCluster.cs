using System.Buffers.Binary;
using Broker.Core.Quorum;
using Broker.Node.Quorum;
using Broker.Node.Rpc;
using Broker.Protocol;
using Broker.Runtime;
using Broker.Tests;
using Chaos.Faults;
using Chaos.Simulation;

namespace Chaos.Tests.Quorum;

/// <summary>Three voters that propose numbered batches whenever they lead, and one observer. What anybody learns is kept over all lives.</summary>
internal sealed class QuorumCluster
{
    public static readonly NodeId Observer = new(10);

    private static readonly QuorumVoter[] Voters = [.. Enumerable.Range(0, 3).Select(id => new QuorumVoter(new NodeId(id), new Endpoint($"controller-{id}", 9093)))];

    private static readonly QuorumSettings Times = new(Ms(150), Ms(300), Ms(50), Ms(200), Ms(10));

    private readonly QuorumRules rules;
    private readonly int fetchMaxBytes;
    private long lastValue;

    public QuorumCluster(ulong seed, QuorumRules? rules = null, SimOptions? options = null)
    {
        this.rules = rules ?? UnderTest.Rules.Quorum;
        fetchMaxBytes = seed % 2 == 0 ? 1 : 1 << 20;                       // one batch at a time leaves more room between entries
        World = new SimWorld(seed, options);
        foreach (var voter in Voters) World.AddNode(voter.Id, $"controller {voter.Id}", voter.Endpoint.Host, host => VoteAsync(host, voter));
        World.AddNode(Observer, "observer", "observer", ObserveAsync);
    }

    public SimWorld World { get; }

    public QuorumNode?[] Nodes { get; } = new QuorumNode?[3];

    /// <summary>Offset to value, as acknowledged to proposers.</summary>
    public SortedDictionary<long, long> Acknowledged { get; } = [];

    /// <summary>Offset to value, as first seen committed by anybody in any life.</summary>
    public SortedDictionary<long, long> Committed { get; } = [];

    /// <summary>What the observer has in its present life.</summary>
    public SortedDictionary<long, long> Observed { get; private set; } = [];

    public List<string> Violations { get; } = [];

    public static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);

    /// <summary>Runs under faults, heals, and goes on until the observer has all that was acknowledged, and something after it.</summary>
    public void Run(FaultSchedule faults, TimeSpan faulty)
    {
        World.Run(async () =>
        {
            World.StartAll();
            var nemesis = World.Unleash(faults);
            nemesis.Start();
            await World.Time.DelayAsync(faulty);
            nemesis.Stop();
            nemesis.HealAll();
            var healed = Acknowledged.Count == 0 ? -1 : Acknowledged.Keys.Last();
            await World.Time.DelayAsync(Ms(3000));
            foreach (var (offset, value) in Acknowledged)
                if (offset <= healed && (!Observed.TryGetValue(offset, out var seen) || seen != value)) Violations.Add($"acknowledged {value} at {offset} is lost");
            if (Observed.Count == 0 || Observed.Keys.Last() <= healed) Violations.Add("no progress after healing");
        }, faulty + TimeSpan.FromMinutes(1));
        Violations.AddRange(World.Failures.Select(failure => $"node {failure.Node} failed: {failure.Exception.Message}"));
    }

    public static byte[] Batch(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return new RecordBatchBuilder().Append(0, null, bytes).ToArray();
    }

    private async Task VoteAsync(IHost host, QuorumVoter voter)
    {
        var scope = new TaskScope();
        var settings = new QuorumNodeSettings { Id = voter.Id, Voters = Voters, Times = Times, FetchMaxBytes = fetchMaxBytes };
        var node = new QuorumNode(host, settings, rules, scope);
        var applied = 0L;
        node.Committed += _ =>
        {
            foreach (var batch in new RecordBatches(node.ReadCommitted(applied)))
            {
                applied = batch.NextOffset;
                Learn(batch, $"voter {voter.Id}");
            }
            node.AssertInvariants();
        };
        await node.StartAsync();
        Nodes[voter.Id.Value] = node;
        var router = new RequestRouter();
        node.Serve(router);
        new RequestServer(host, voter.Endpoint, router, scope).Start();
        scope.Start(() => ProposeForEverAsync(host, node));
        await scope.Failed;
    }

    private async Task ProposeForEverAsync(IHost host, QuorumNode node)
    {
        while (true)
        {
            await host.Time.DelayAsync(host.Random.Between(Ms(1), Ms(30)));
            if (!node.IsLeader) continue;
            var value = ++lastValue;
            if (await node.ProposeAsync(Batch(value)) is not { } offset) continue;
            if (!Acknowledged.TryAdd(offset, value)) Violations.Add($"offset {offset} acknowledged for {Acknowledged[offset]} and {value}");
        }
    }

    private async Task ObserveAsync(IHost host)
    {
        var seen = Observed = [];
        var follower = new MetadataFollower(host, Voters, Times, rules, batch =>
        {
            if (Learn(batch, "observer") is { } value) seen.Add(batch.BaseOffset, value);
        });
        await follower.FollowAsync();
    }

    /// <summary>Everybody must see the same value at the same offset. Null for control batches.</summary>
    private long? Learn(RecordBatch batch, string who)
    {
        if (batch.IsControl) return null;
        foreach (var record in batch.Records)
        {
            var value = BinaryPrimitives.ReadInt64BigEndian(record.Value!.Value.Span);
            if (!Committed.TryAdd(record.Offset, value) && Committed[record.Offset] != value)
                Violations.Add($"{who} sees {value} at {record.Offset}, where {Committed[record.Offset]} was committed");
            return value;
        }
        return null;
    }
}
