using System.Collections.Immutable;
using Broker.Core.Metadata;
using Broker.Runtime;

namespace Broker.Core.Controller;

/// <summary>
/// The active controller's decisions. Each request changes the image at once and returns the records that make the change durable; who loses
/// leadership of the metadata log throws the machine away and builds another from the committed log.
/// </summary>
/// <remarks>Times are durations since any fixed moment of the monotonic clock. Sources: KIP-500, KIP-631, KIP-497, KIP-903, KIP-966.</remarks>
public sealed partial class ControllerMachine
{
    private readonly ControllerRuleBook rules;
    private readonly ControllerSettings settings;
    private readonly MetadataImage image;
    private readonly Prng prng;
    private readonly PartitionElection election;
    private readonly BrokerSession?[] sessions = new BrokerSession?[MetadataImage.BrokerLimit];
    private List<MetadataRecord> records = [];
    private List<Observation> observations = [];
    private long baseOffset;
    private long nextOffset;
    private TimeSpan lastUncleanCheck;

    /// <param name="image">Everything committed so far; the machine's own from now on.</param>
    /// <param name="prng">Draws topic ids.</param>
    /// <param name="nextOffset">Where the next record lands in the metadata log.</param>
    /// <param name="now">Every broker that is let in gets a full session from here.</param>
    public ControllerMachine(ControllerRuleBook rules, ControllerSettings settings, MetadataImage image, Prng prng, long nextOffset, TimeSpan now)
    {
        this.rules = rules;
        this.settings = settings;
        this.image = image;
        this.prng = prng;
        this.nextOffset = nextOffset;
        baseOffset = nextOffset;
        lastUncleanCheck = now;
        election = new PartitionElection(rules.Election, settings.EligibleLeaderReplicas);
        foreach (var broker in image.Brokers)
            if (!broker.Fenced) sessions[broker.Broker] = new BrokerSession { LastContact = now, ControlledShutdownOffset = nextOffset };
    }

    /// <summary>Decisions that are not committed yet included. For reading only.</summary>
    public MetadataImage Image => image;

    public long NextOffset => nextOffset;

    private void Append(MetadataRecord record)
    {
        records.Add(record);
        var fits = image.Apply(record, nextOffset);
        Invariant.Holds(fits);
        nextOffset++;
    }

    private Decision<TAnswer> Decide<TAnswer>(TAnswer answer)
    {
        var decision = new Decision<TAnswer>(answer, records, baseOffset, observations);
        if (records.Count > 0) records = [];
        if (observations.Count > 0) observations = [];
        baseOffset = nextOffset;
        return decision;
    }

    private NodeSet Alive() =>
        NodeSet.Of(image.Brokers.Where(broker => rules.Election.MayLeadAtAll(broker.Fenced, broker.InControlledShutdown)).Select(broker => broker.Broker));

    /// <summary>Gives the partitions that match what they are now due, in their fixed order.</summary>
    private void ChangeWhere(Func<PartitionState, bool> matches, Func<PartitionState, PartitionWish> wish)
    {
        foreach (var topic in image.Topics)
            for (var partition = 0; partition < topic.Partitions.Count; partition++)
                if (matches(topic.Partitions[partition]))
                    Change(topic, partition, wish(topic.Partitions[partition]) with { UncleanAllowed = topic.Settings.UncleanLeaderElection });
    }

    /// <summary>False when the wish changes nothing.</summary>
    private bool Change(TopicState topic, int partition, in PartitionWish wish)
    {
        var before = topic.Partitions[partition];
        if (election.Change(before, wish, topic.Settings.MinInSyncReplicas) is not { } outcome) return false;
        Append(new MetadataRecord.PartitionChange(topic.Id, partition, outcome.State));
        Show(new TopicPartition(topic.Name, partition), outcome.State, before, outcome.Kind, wish.ShutDownUncleanly);
        return true;
    }

    private void Show(TopicPartition partition, PartitionState state, PartitionState? before, ElectionKind? kind, NodeSet shutDownUncleanly = default)
    {
        if (kind is { } how)
            observations.Add(new Observation(ObservationKind.Elected, NodeId.None, partition, state.LeaderEpoch, (long)how, Eligible(before ?? state, shutDownUncleanly).Packed, state.Leader, state.Isr));
        if (!state.Isr.Equals(before?.Isr))
            observations.Add(new Observation(ObservationKind.IsrCommitted, NodeId.None, partition, state.LeaderEpoch, state.PartitionEpoch, Nodes: state.Isr));
    }

    /// <summary>Who could still be chosen: whoever came back by an unclean shutdown in this very decision no more.</summary>
    private EligibleReplicas Eligible(PartitionState state, NodeSet shutDownUncleanly)
    {
        var eligible = (state.Isr.Bits | state.Elr.Bits) & ~shutDownUncleanly.Bits;
        return new EligibleReplicas(new NodeSet(eligible).Count, new NodeSet(eligible & Alive().Bits).Count);
    }

    private void Show(ObservationKind kind, int broker) => observations.Add(new Observation(kind, NodeId.None, Other: broker));

    private NodeSet WithoutLeaving(NodeSet isr, int leaving) => NodeSet.Of(isr.Ids().Where(replica => !rules.Election.LeavesIsr(replica, leaving)));

    /// <summary>What the controller remembers of a broker beyond the log; gone with the machine.</summary>
    private sealed class BrokerSession
    {
        public TimeSpan LastContact { get; set; }

        /// <summary>How far the broker's image has come.</summary>
        public long MetadataOffset { get; set; } = -1;

        /// <summary>Active brokers that have come so far know that this one is leaving.</summary>
        public long ControlledShutdownOffset { get; set; }
    }
}
