using Broker.Core;
using Broker.Core.Controller;
using Broker.Core.Log;
using Broker.Core.Metadata;
using Broker.Core.Replication;
using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Properties.Replication;

/// <summary>What may happen next. Where there is nothing for it to happen to, it does not.</summary>
internal enum Move
{
    /// <summary>A broker that believes to lead appends one record for acks=all.</summary>
    Produce,

    /// <summary>A follower asks whom it believes to lead, or takes in the answer to what it asked before.</summary>
    Fetch,

    /// <summary>A leader looks whether its ISR should be another.</summary>
    LookAtIsr,

    /// <summary>A question for another ISR reaches the controller.</summary>
    Decide,

    /// <summary>The controller's answer reaches the leader that asked.</summary>
    Answer,

    /// <summary>The controller's answer is lost, and the leader asks again.</summary>
    LoseAnswer,

    /// <summary>A broker reads on in the metadata log, some entries or all.</summary>
    Learn,

    /// <summary>The brokers' clocks move on by more than replica.lag.time.max.ms.</summary>
    PassTime,

    /// <summary>The controller has not heard from a broker for the length of a session.</summary>
    Silence,

    Heartbeat,

    /// <summary>An operator wants the preferred leader.</summary>
    ElectPreferred,

    /// <summary>A process dies; its log stays.</summary>
    Kill,

    /// <summary>The process and all that was in its log are gone. Not more often than min.insync.replicas tolerates.</summary>
    LosePower,

    Restart,
}

/// <param name="Draw">Chooses among the brokers that can make the move, or among the questions or answers on their way.</param>
internal sealed record Step(Move Move, int Draw)
{
    public override string ToString() => $"{Move}({Draw})";
}

/// <summary>
/// Three replicas of a partition and one controller: the real state machines of the broker with nothing between them but messages that arrive in any order. No election is unclean, and with eligible
/// leader replicas at most min.insync.replicas - 1 lose power between two moments of full ISR (without them, none); so whatever was committed or acknowledged must be in the log of whoever leads.
/// </summary>
internal sealed class ReplicationModel
{
    public static readonly TimeSpan Session = TimeSpan.FromSeconds(3), MaximumLag = TimeSpan.FromSeconds(1);

    private static readonly TopicPartition Id = new("t", 0);
    private static readonly int[] Brokers = [1, 2, 3];

    private readonly ControllerMachine controller;
    private readonly int mostPowerLosses;
    private readonly List<MetadataRecord> log = [];
    private readonly SortedDictionary<int, ModelReplica> replicas = [];
    private readonly List<(ModelReplica Leader, Partition Core, IsrProposal Proposal, AlterPartitionRequest Request)> questions = [];
    private readonly List<(ModelReplica Leader, Partition Core, IsrProposal Proposal, AlterPartitionRequest Request, AlterPartitionResponse Answer)> answers = [];
    private readonly List<(Partition Core, int Epoch, AppendOutcome Outcome)> waiting = [];
    private readonly SortedDictionary<long, int> promised = [];
    private NodeSet lostPower = NodeSet.Empty;
    private TimeSpan now, controllerNow;
    private int incarnations, isrChanges, powerLosses;

    public ReplicationModel(BrokerRules rules, int minInSyncReplicas, bool eligibleLeaderReplicas)
    {
        mostPowerLosses = eligibleLeaderReplicas ? minInSyncReplicas - 1 : 0;
        var defaults = TopicSettings.KafkaDefaults with { MinInSyncReplicas = minInSyncReplicas };
        controller = new ControllerMachine(rules.Controller, new ControllerSettings { SessionTimeout = Session, EligibleLeaderReplicas = eligibleLeaderReplicas }, new MetadataImage(defaults), new Prng(7), 0, controllerNow);
        foreach (var broker in Brokers)
        {
            replicas.Add(broker, new ModelReplica(broker, rules, defaults));
            Restart(replicas[broker]);
        }
        foreach (var replica in replicas.Values) Heartbeat(replica);
        Commit(controller.CreateTopics(new CreateTopicsRequest
        {
            Topics = [new CreatableTopic { Name = Id.Topic, NumPartitions = -1, ReplicationFactor = -1, Assignments = [new CreatableReplicaAssignment { BrokerIds = [.. Brokers] }] }],
        }));
        foreach (var replica in replicas.Values) Learn(replica, log.Count);
    }

    /// <summary>What a life exercised. Elections: changes of leader, also to nobody. IsrChanges: those that a leader asked for. PowerLosses: of replicas that had been up.</summary>
    public (int Elections, int Promised, int IsrChanges, int PowerLosses) Exercised => (State.LeaderEpoch, promised.Count, isrChanges, powerLosses);

    public PartitionState State => controller.Image.Partition(Id)!;

    /// <summary>Null as long as all is well; else what is wrong, in one sentence.</summary>
    public string? Play(Step step)
    {
        switch (step.Move)
        {
            case Move.Produce: Produce(Any(step, static replica => replica.Core is { IsLeader: true })); break;
            case Move.Fetch: Fetch(Any(step, static replica => replica.Core is { IsLeader: false })); break;
            case Move.LookAtIsr: LookAtIsr(Any(step, static replica => replica.Core is { IsLeader: true })); break;
            case Move.Decide: Decide(step.Draw); break;
            case Move.Answer: Answer(step.Draw); break;
            case Move.LoseAnswer: LoseAnswer(step.Draw); break;
            case Move.Learn: Learn(Any(step, replica => replica.IsUp && replica.Image.Offset + 1 < log.Count), 1 + step.Draw); break;
            case Move.PassTime: now += MaximumLag * 1.5; break;
            case Move.Silence: Silence(Any(step, replica => !IsFenced(replica))); break;
            case Move.Heartbeat: Heartbeat(Any(step, replica => replica.IsUp && IsFenced(replica))); break;
            case Move.ElectPreferred: ElectPreferred(); break;
            case Move.Kill: Any(step, static replica => replica.IsUp)?.Kill(); break;
            case Move.LosePower: LosePower(Any(step, static replica => replica.IsUp)); break;
            case Move.Restart: Restart(Any(step, static replica => !replica.IsUp)); break;
            default: throw new InvalidOperationException($"unknown move {step.Move}");
        }
        if (IsFullIsr) lostPower = NodeSet.Empty;
        return Acknowledge() ?? NoteCommitted() ?? LeaderLacks();
    }

    /// <summary>One of those that can make the move, by the draw; null when nobody can.</summary>
    private ModelReplica? Any(Step step, Func<ModelReplica, bool> can)
    {
        var able = replicas.Values.Where(can).ToList();
        return able.Count == 0 ? null : able[step.Draw % able.Count];
    }

    /// <summary>Not by the controller's word alone, which learns of a loss only when the replica is back.</summary>
    private bool IsFullIsr => State.Isr.Count == Brokers.Length && replicas.Values.All(static replica => !replica.HasLostItsLog);

    private bool IsFenced(ModelReplica replica) => controller.Image.Broker(replica.Id)!.Fenced;

    // What a broker does

    private void Produce(ModelReplica? leader)
    {
        if (leader?.Core is not { } core) return;
        RecordBatch.TryRead(new RecordBatchBuilder().Append(0, null, [1]).ToArray(), out var batch, out _);
        var outcome = core.Append(batch, acks: -1);
        if (outcome.Error != ErrorCode.None) return;
        core.Appended(core.LeaderEpoch, outcome.NextOffset);
        waiting.Add((core, core.LeaderEpoch, outcome));
    }

    private void Fetch(ModelReplica? replica)
    {
        if (replica?.Core is not { } core) return;
        if (replica.Answer is not { } answer) Ask(replica, core);
        else
        {
            replica.Answer = null;
            if (answer.LeaderEpoch != core.LeaderEpoch) return;
            if (answer.Diverging is { } end) core.Diverged(end);
            else core.Replicate(answer.Batches, answer.HighWatermark);
        }
    }

    private void Ask(ModelReplica follower, Partition core)
    {
        if (core.IsLeader || !replicas.TryGetValue(core.State.Leader, out var leader) || leader.Core is not { IsLeader: true } asked || asked.Fence(core.LeaderEpoch) != ErrorCode.None) return;
        var (from, lastEpoch) = (core.Log.LogEndOffset, core.LastFetchedEpoch);
        var diverging = asked.Divergence(lastEpoch, from);
        if (diverging is null)
        {
            if (!asked.Log.IsReadable(from)) return;
            asked.FollowerFetched(follower.Id, follower.BrokerEpoch, from, now);
            Propose(leader, asked.IsrWith(follower.Id, leader.IsAlive));
        }
        follower.Answer = new FetchAnswer(core.LeaderEpoch, diverging, diverging is null ? asked.Log.Read(from, asked.VisibleEnd(isFollower: true), 1) : default, asked.HighWatermark);
    }

    private void LookAtIsr(ModelReplica? leader)
    {
        if (leader?.Core is { } core) Propose(leader, core.IsrWithoutLaggards(now, MaximumLag));
    }

    private void Propose(ModelReplica leader, NodeSet? wanted)
    {
        if (leader.Core is not { } core || wanted is not { } isr) return;
        var proposal = core.ProposeIsr(isr);
        questions.Add((leader, core, proposal, Question(leader, core, proposal)));
    }

    private static AlterPartitionRequest Question(ModelReplica leader, Partition core, IsrProposal proposal)
    {
        var data = new AlterPartitionRequest.PartitionData
        {
            PartitionIndex = Id.Partition,
            LeaderEpoch = proposal.LeaderEpoch,
            PartitionEpoch = proposal.PartitionEpoch,
            NewIsrWithEpochs = [.. proposal.Isr.Ids().Select(id => new AlterPartitionRequest.BrokerState { BrokerId = id, BrokerEpoch = id == leader.Id ? leader.BrokerEpoch : core.BrokerEpochOf(id) })],
        };
        return new AlterPartitionRequest { BrokerId = leader.Id, BrokerEpoch = leader.BrokerEpoch, Topics = [new AlterPartitionRequest.TopicData { TopicId = core.TopicId, Partitions = [data] }] };
    }

    private void Answer(int draw)
    {
        if (Take(answers, draw) is not { } it || it.Leader.Core != it.Core) return;
        var data = it.Answer.Topics.FirstOrDefault()?.Partitions.FirstOrDefault();
        if (data?.ErrorCode == ErrorCode.None) it.Core.IsrAnswered(it.Proposal, NodeSet.Of(data.Isr), data.PartitionEpoch);
        else if (data?.ErrorCode == ErrorCode.IneligibleReplica) it.Core.IsrAnswered(it.Proposal, null, -1);
    }

    private void LoseAnswer(int draw)
    {
        if (Take(answers, draw) is { } it && ReferenceEquals(it.Core.Proposal, it.Proposal)) questions.Add((it.Leader, it.Core, it.Proposal, it.Request));
    }

    private void Learn(ModelReplica? replica, int entries)
    {
        while (entries-- > 0 && replica is not null && replica.Learn(log, Id)) continue;
    }

    private void LosePower(ModelReplica? replica)
    {
        if (replica is null || lostPower.With(replica.Id).Count > mostPowerLosses) return;
        lostPower = lostPower.With(replica.Id);
        powerLosses++;
        replica.LosePower();
    }

    private void Restart(ModelReplica? replica)
    {
        if (replica is not null && Register(replica)) replica.Start(log, Id);
    }

    // What the controller does

    private bool Register(ModelReplica replica)
    {
        var answer = Commit(controller.RegisterBroker(new BrokerRegistrationRequest
        {
            BrokerId = replica.Id,
            IncarnationId = new Guid(++incarnations, 0, 0, new byte[8]),
            Listeners = [new BrokerRegistrationRequest.Listener { Name = "PLAINTEXT", Host = $"broker-{replica.Id}", Port = 9092 }],
            PreviousBrokerEpoch = replica.PreviousBrokerEpoch,
        }, controllerNow));
        if (answer.ErrorCode != ErrorCode.None) return false;
        replica.BrokerEpoch = answer.BrokerEpoch;
        return true;
    }

    private void Heartbeat(ModelReplica? replica)
    {
        if (replica is not null)
            Commit(controller.Heartbeat(new BrokerHeartbeatRequest { BrokerId = replica.Id, BrokerEpoch = replica.BrokerEpoch, CurrentMetadataOffset = replica.Image.Offset }, controllerNow));
    }

    /// <summary>All others stay in contact, the dead among them too: their sessions end when it is their turn.</summary>
    private void Silence(ModelReplica? silent)
    {
        if (silent is null) return;
        controllerNow += Session;
        foreach (var other in replicas.Values)
            if (other != silent && !IsFenced(other)) Heartbeat(other);
        Commit(controller.Tick(controllerNow));
    }

    private void ElectPreferred() => Commit(controller.ElectLeaders(new ElectLeadersRequest { ElectionType = 0, TopicPartitions = [new TopicPartitions { Topic = Id.Topic, Partitions = [Id.Partition] }] }));

    private void Decide(int draw)
    {
        if (Take(questions, draw) is not { } it) return;
        var before = State.Isr;
        answers.Add((it.Leader, it.Core, it.Proposal, it.Request, Commit(controller.AlterPartition(it.Request))));
        if (State.Isr != before) isrChanges++;
    }

    /// <summary>Every decision counts as committed at once; brokers learn it when they read on.</summary>
    private TAnswer Commit<TAnswer>(Decision<TAnswer> decision)
    {
        log.AddRange(decision.Records);
        return decision.Answer;
    }

    private static T? Take<T>(List<T> from, int draw) where T : struct
    {
        if (from.Count == 0) return null;
        var index = draw % from.Count;
        var taken = from[index];
        from.RemoveAt(index);
        return taken;
    }

    // What must hold

    /// <summary>Answers what may be answered, as the produce handler does: in the same epoch, committed, with replicas enough.</summary>
    private string? Acknowledge()
    {
        for (var i = waiting.Count - 1; i >= 0; i--)
        {
            var (core, epoch, outcome) = waiting[i];
            if (core.LeaderEpoch == epoch && !(core.IsCommitted(outcome.NextOffset) && core.HasEnoughReplicas)) continue;
            waiting.RemoveAt(i);
            if (core.LeaderEpoch == epoch && Promise(outcome.BaseOffset, epoch) is { } problem) return problem;
        }
        return null;
    }

    /// <summary>What a leader's high watermark has passed is committed for ever, and there is one record at an offset.</summary>
    private string? NoteCommitted()
    {
        foreach (var replica in replicas.Values)
        {
            if (replica.Core is not { IsLeader: true } core) continue;
            core.AssertInvariants();
            foreach (var (offset, epoch) in replica.Written())
                if (offset < core.HighWatermark && Promise(offset, epoch) is { } problem) return problem;
        }
        return null;
    }

    private string? Promise(long offset, int epoch) =>
        promised.TryAdd(offset, epoch) || promised[offset] == epoch ? null : $"offset {offset} was promised as a record of epoch {promised[offset]}, and again as one of epoch {epoch}";

    /// <summary>One that has lost its log serves nobody until it has registered again, and then the controller knows.</summary>
    private string? LeaderLacks()
    {
        if (State.Leader == PartitionState.NoLeader || replicas[State.Leader].HasLostItsLog) return null;
        var written = replicas[State.Leader].Written();
        foreach (var (offset, epoch) in promised)
            if (!written.TryGetValue(offset, out var there) || there != epoch) return $"broker {State.Leader} leads in epoch {State.LeaderEpoch} without the record of epoch {epoch} at offset {offset}";
        return null;
    }
}
