using Broker.Core.Controller;
using Broker.Core.Metadata;
using Broker.Protocol;
using Broker.Runtime;
using FsCheck;
using FsCheck.Fluent;

namespace Broker.Tests.Controller;

/// <summary>Random lives of three brokers and a topic under one controller, every step checked.</summary>
public sealed class ControllerProperties
{
    private enum Act
    {
        Register,
        RegisterCleanly,
        Heartbeat,
        WantShutDown,
        PassTime,
        Tick,
        Alter,
        AlterStale,
        Elect,
        ElectUncleanly,
        Reorder,
        Recreate,
        MinInSync,
        UncleanSetting,
        FailOver,
    }

    private sealed record Step(Act Act, int Broker, int Draw);

    private sealed record Life(bool EligibleReplicas, bool Unclean, int MinIsr, Step[] Steps)
    {
        public override string ToString() => $"elr={EligibleReplicas} unclean={Unclean} min={MinIsr}: {string.Join(", ", Steps.Select(step => $"{step.Act}({step.Broker},{step.Draw})"))}";
    }

    private static readonly Arbitrary<Life> Lives = Arb.From(
        from elr in Gen.Elements(true, false)
        from unclean in Gen.Elements(true, false)
        from min in Gen.Choose(1, 3)
        from steps in (from act in Gen.Frequency(
                           (6, Gen.Elements(Act.Heartbeat, Act.Alter)),
                           (3, Gen.Elements(Act.Register, Act.PassTime, Act.Tick)),
                           (1, Gen.Elements(Enum.GetValues<Act>())))
                       from broker in Gen.Choose(1, 3)
                       from draw in Gen.Choose(0, 63)
                       select new Step(act, broker, draw)).ArrayOf(120)
        select new Life(elr, unclean, min, steps),
        life => life.Steps.Select((_, i) => life with { Steps = [.. life.Steps.Where((_, j) => i != j)] }));

    [Fact]
    public void Every_step_of_every_life_keeps_the_invariants() =>
        Prop.ForAll(Lives, life => Live(life)).QuickCheckThrowOnFailure();

    public static TheoryData<string, ControllerRuleBook> PlantedDefects => new()
    {
        { "any broker leads", new() { Election = new AnybodyLeads() } },
        { "the wanted replica leads, in sync or not", new() { Election = new WantedLeads() } },
        { "leader epoch stays", new() { Election = new LeaderEpochStays() } },
        { "partition epoch stays", new() { Election = new PartitionEpochStays() } },
        { "losers stay eligible", new() { Election = new LosersStayEligible() } },
        { "fenced brokers stay in the ISR", new() { Election = new FencedStayInSync() } },
        { "fenced brokers lead", new() { Election = new FencedLead() } },
        { "every shutdown was clean", new() { Registration = new EveryShutdownWasClean() } },
        { "leaders need not be in their ISR", new() { Isr = new LeaderNeedNotBeMember() } },
    };

    [Theory]
    [MemberData(nameof(PlantedDefects))]
    public void A_planted_defect_breaks_an_invariant(string defect, ControllerRuleBook rules)
    {
        var broken = Lives.Generator.Sample(50, 200).Any(life =>
        {
            try
            {
                Live(life, rules);
                return false;
            }
            catch (Exception failure) when (failure is Xunit.Sdk.XunitException or InvariantBrokenException)
            {
                return true;
            }
        });
        Assert.True(broken, $"nobody noticed: {defect}");
    }

    private static void Live(Life life, ControllerRuleBook? rules = null)
    {
        var cluster = Begin(life, rules);
        foreach (var step in life.Steps)
        {
            var before = cluster.Machine.Image.Topic("t");
            var state = before?.Partition(0);
            var (seen, logged) = (cluster.Seen.Count, cluster.Log.Count);
            Play(cluster, step);
            Check(life, cluster, before?.Id, state, cluster.Log.Skip(logged).ToList(), cluster.Seen.Skip(seen).ToList());
        }
        Assert.Equal(Cluster.Describe(cluster.Machine.Image), Cluster.Describe(cluster.Replay()));
    }

    [Fact]
    public void The_same_life_writes_the_same_log() =>
        Prop.ForAll(Lives, life =>
        {
            var (one, other) = (Begin(life), Begin(life));
            foreach (var step in life.Steps) Play(one, step);
            foreach (var step in life.Steps) Play(other, step);
            return one.Log.SequenceEqual(other.Log) && one.Seen.SequenceEqual(other.Seen);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(20));

    [Fact]
    public void Records_survive_their_encoding() =>
        Prop.ForAll(Lives, life =>
        {
            var cluster = Begin(life);
            foreach (var step in life.Steps) Play(cluster, step);
            return cluster.Log.TrueForAll(record => MetadataRecordCodec.Decode(MetadataRecordCodec.Encode(record)) == record);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(20));

    [Fact]
    public void Cut_or_padded_records_are_refused()
    {
        var cluster = new Cluster().Start(1, 2, 3).Create(1, 2, 3);
        foreach (var bytes in cluster.Log.Select(MetadataRecordCodec.Encode))
        {
            for (var length = 0; length < bytes.Length; length++) Assert.Throws<MalformedFrameException>(() => MetadataRecordCodec.Decode(bytes[..length]));
            Assert.Throws<MalformedFrameException>(() => MetadataRecordCodec.Decode([.. bytes, 0]));
        }
        Assert.Throws<MalformedFrameException>(() => MetadataRecordCodec.Decode([99]));
    }

    private static Cluster Begin(Life life, ControllerRuleBook? rules = null) => new Cluster(life.EligibleReplicas, life.Unclean, life.MinIsr, rules).Start(1, 2, 3).Create(1, 2, 3);

    private static NodeSet Alive(Cluster cluster) => NodeSet.Of(cluster.Machine.Image.Brokers.Where(broker => broker.IsActive).Select(broker => broker.Broker));

    private static void Play(Cluster cluster, Step step)
    {
        var machine = cluster.Machine;
        var state = machine.Image.Topic("t")?.Partition(0);
        int[] some = [.. new[] { 1, 2, 3 }.Where(broker => (step.Draw >> broker & 1) != 0)];
        switch (step.Act)
        {
            case Act.Register: cluster.Register(step.Broker); break;
            case Act.RegisterCleanly: cluster.Register(step.Broker, clean: true); break;
            case Act.Heartbeat: cluster.Heartbeat(step.Broker, offset: step.Draw % 4 == 0 ? 0 : null); break;
            case Act.WantShutDown: cluster.Heartbeat(step.Broker, wantShutDown: true); break;
            case Act.PassTime: cluster.Pass(TimeSpan.FromMilliseconds(step.Draw * 40)); break;
            case Act.Tick: cluster.Tick(); break;
            case Act.Alter when state is { HasLeader: true }: cluster.Alter(some); break;
            case Act.AlterStale when state is not null: cluster.AlterAs(step.Broker, state.LeaderEpoch - step.Draw % 2, state.PartitionEpoch - step.Draw / 2 % 2, some); break;
            case Act.Elect when state is not null: cluster.Elect(preferred: true); break;
            case Act.ElectUncleanly when state is not null: cluster.Elect(preferred: false); break;
            case Act.Reorder when state is not null:
                var replicas = state.Replicas.OrderBy(replica => replica * (step.Draw + 1) % 7).ToList();
                cluster.Commit(machine.AlterPartitionReassignments(new AlterPartitionReassignmentsRequest
                {
                    Topics = [new ReassignableTopic { Name = "t", Partitions = [new ReassignablePartition { Replicas = replicas }] }],
                }));
                break;
            case Act.Recreate:
                if (state is not null) cluster.Commit(machine.DeleteTopics(new DeleteTopicsRequest { Topics = [new DeleteTopicState { Name = "t" }] }));
                cluster.Create(new CreatableTopic { Name = "t", NumPartitions = 1, ReplicationFactor = 3 });
                break;
            case Act.MinInSync when state is not null: cluster.Configure("min.insync.replicas", (1 + step.Draw % 3).ToString()); break;
            case Act.UncleanSetting when state is not null: cluster.Configure("unclean.leader.election.enable", step.Draw % 2 == 0 ? "true" : "false"); break;
            case Act.FailOver: cluster.FailOver(); break;
        }
    }

    private static void Check(Life life, Cluster cluster, Guid? topicBefore, PartitionState? before, List<MetadataRecord> records, List<Observation> seen)
    {
        if (cluster.Machine.Image.Topic("t") is not { } topic) return;
        var state = topic.Partitions[0];
        Assert.Equal(3, state.Replicas.Length);
        Assert.All(state.Isr.Ids(), member => Assert.Contains(member, state.Replicas));
        Assert.Equal(0ul, state.Isr.Bits & state.Elr.Bits);
        if (state.HasLeader)
        {
            Assert.True(state.Isr.Contains(state.Leader), state.ToString());
            Assert.True(Alive(cluster).Contains(state.Leader), state.ToString());
            Assert.Equal(-1, state.LastKnownLeader);
        }
        Assert.True(life.EligibleReplicas ? state.Elr.Count == 0 || state.Isr.Count < topic.Settings.MinInSyncReplicas : state.Elr.Count == 0, state.ToString());
        Assert.True(life.EligibleReplicas || state.Isr.Count > 0, state.ToString());

        if (topicBefore != topic.Id || before is null) return;
        CheckEpochs(before, records);
        CheckReturned(before, state, records);
        CheckElections(before, Alive(cluster), seen);
    }

    /// <summary>Each record moves the partition epoch by one, and the leader epoch by one exactly where the leader changes.</summary>
    private static void CheckEpochs(PartitionState before, List<MetadataRecord> records)
    {
        foreach (var change in records.OfType<MetadataRecord.PartitionChange>())
        {
            Assert.Equal(before.PartitionEpoch + 1, change.State.PartitionEpoch);
            Assert.Equal(before.LeaderEpoch + (before.Leader == change.State.Leader ? 0 : 1), change.State.LeaderEpoch);
            before = change.State;
        }
    }

    /// <summary>Who comes back after an unclean shutdown is neither in sync nor eligible, unless it is the last member where nobody may be eligible.</summary>
    private static void CheckReturned(PartitionState before, PartitionState after, List<MetadataRecord> records)
    {
        foreach (var (registration, previous) in records.OfType<MetadataRecord.RegisterBroker>().Select(record => (record.Registration, record.PreviousBrokerEpoch)))
        {
            if (!registration.Fenced || previous != -1) continue;
            Assert.False(after.Elr.Contains(registration.Broker), after.ToString());
            var stays = after.Isr.Contains(registration.Broker);
            Assert.True(!stays || after.Isr.Count == 1 && after.Isr == before.Isr, $"{before} -> {after}");
            Assert.NotEqual(registration.Broker, after.Leader);
        }
    }

    /// <summary>Nobody is elected who may lag while a member of the ISR or an eligible replica is up.</summary>
    private static void CheckElections(PartitionState before, NodeSet alive, List<Observation> seen)
    {
        foreach (var election in seen.Where(it => it.Kind is ObservationKind.Elected))
        {
            var kind = (ElectionKind)election.Offset;
            if (kind is ElectionKind.Clean) Assert.True(before.Isr.Contains(election.Other), $"{before} -> {election.Other}");
            if (kind is ElectionKind.Unclean or ElectionKind.LastKnownLeader)
            {
                var up = new NodeSet(alive.Bits & (before.Isr.Bits | before.Elr.Bits));
                Assert.True(up.Count == 0, $"{before}: {kind} of {election.Other} although {up} are up");
            }
        }
    }

    private sealed class AnybodyLeads : ElectionRules
    {
        public override bool MayLeadCleanly(bool inIsr, bool isrIsEmpty, bool inElr) => true;
    }

    private sealed class WantedLeads : ElectionRules
    {
        public override int ChooseClean(IReadOnlyList<int> candidates, int current, int wanted) => wanted is -1 ? base.ChooseClean(candidates, current, wanted) : wanted;
    }

    private sealed class LeaderEpochStays : ElectionRules
    {
        public override int NextLeaderEpoch(int epoch) => epoch;
    }

    private sealed class PartitionEpochStays : ElectionRules
    {
        public override int NextPartitionEpoch(int epoch) => epoch;
    }

    private sealed class LosersStayEligible : ElectionRules
    {
        public override bool IsEligible(bool wasInIsr, bool wasEligible, bool inIsr, bool shutDownUncleanly) => (wasInIsr || wasEligible) && !inIsr;
    }

    private sealed class FencedStayInSync : ElectionRules
    {
        public override bool LeavesIsr(int replica, int leaving) => false;
    }

    private sealed class FencedLead : ElectionRules
    {
        public override bool MayLeadAtAll(bool fenced, bool inControlledShutdown) => true;
    }

    private sealed class EveryShutdownWasClean : RegistrationRules
    {
        public override bool ShutdownWasClean(long cleanSince, long registeredEpoch, long previousBrokerEpoch) => true;
    }

    private sealed class LeaderNeedNotBeMember : IsrRules
    {
        public override bool LeaderIsMember(bool isMember) => true;
    }
}
