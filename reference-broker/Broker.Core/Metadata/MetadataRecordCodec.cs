using System.Collections.Immutable;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Metadata;

/// <summary>
/// Metadata records as the values of the metadata log's records: a kind, then the fields in the primitives of Kafka's flexible versions.
/// The format is this broker's own.
/// </summary>
public static class MetadataRecordCodec
{
    private const sbyte RegisterBroker = 1, FenceBroker = 2, UnfenceBroker = 3, StartControlledShutdown = 4;
    private const sbyte CreateTopic = 5, RemoveTopic = 6, PartitionChange = 7, TopicConfig = 8, ProducerIds = 9;

    public static byte[] Encode(MetadataRecord record)
    {
        var sizer = new FrameSizer(flexible: true, default);
        Visit(ref sizer, record);
        var bytes = new byte[sizer.Size];
        var writer = new FrameWriter(bytes, 0, flexible: true);
        Visit(ref writer, record);
        return bytes;
    }

    /// <summary>Throws <see cref="MalformedFrameException"/> on bytes that are no metadata record of this format.</summary>
    public static MetadataRecord Decode(byte[] bytes)
    {
        var reader = new FrameReader(bytes, 0, flexible: true, default);
        var record = Visit(ref reader, null);
        reader.EndOfFrame();
        return record;
    }

    /// <summary>One walk for both directions: the fields of <paramref name="from"/> when writing, a new record when reading.</summary>
    private static MetadataRecord Visit<TCodec>(ref TCodec c, MetadataRecord? from) where TCodec : struct, ICodec
    {
        var kind = from is null ? (sbyte)0 : KindOf(from);
        c.Int8(ref kind);
        switch (kind)
        {
            case RegisterBroker:
                return Registration(ref c, from as MetadataRecord.RegisterBroker);
            case FenceBroker:
                var (fenced, fencedEpoch) = from is MetadataRecord.FenceBroker fence ? (fence.Broker, fence.BrokerEpoch) : default;
                VisitBroker(ref c, ref fenced, ref fencedEpoch);
                return new MetadataRecord.FenceBroker(fenced, fencedEpoch);
            case UnfenceBroker:
                var (unfenced, unfencedEpoch) = from is MetadataRecord.UnfenceBroker unfence ? (unfence.Broker, unfence.BrokerEpoch) : default;
                VisitBroker(ref c, ref unfenced, ref unfencedEpoch);
                return new MetadataRecord.UnfenceBroker(unfenced, unfencedEpoch);
            case StartControlledShutdown:
                var (leaving, leavingEpoch) = from is MetadataRecord.StartControlledShutdown leave ? (leave.Broker, leave.BrokerEpoch) : default;
                VisitBroker(ref c, ref leaving, ref leavingEpoch);
                return new MetadataRecord.StartControlledShutdown(leaving, leavingEpoch);
            case CreateTopic:
                var (created, name) = from is MetadataRecord.CreateTopic create ? (create.Topic, create.Name) : (Guid.Empty, "");
                c.Uuid(ref created);
                c.String(ref name);
                return new MetadataRecord.CreateTopic(created, name);
            case RemoveTopic:
                var removed = from is MetadataRecord.RemoveTopic remove ? remove.Topic : Guid.Empty;
                c.Uuid(ref removed);
                return new MetadataRecord.RemoveTopic(removed);
            case PartitionChange:
                return Partition(ref c, from as MetadataRecord.PartitionChange);
            case TopicConfig:
                var (topic, setting, value) = from is MetadataRecord.TopicConfig config ? (config.Topic, config.Name, config.Value) : (Guid.Empty, "", null);
                c.Uuid(ref topic);
                c.String(ref setting);
                c.NullableString(ref value);
                return new MetadataRecord.TopicConfig(topic, setting, value);
            case ProducerIds:
                var (owner, ownerEpoch, next) = from is MetadataRecord.ProducerIds ids ? (ids.Broker, ids.BrokerEpoch, ids.NextProducerId) : default;
                VisitBroker(ref c, ref owner, ref ownerEpoch);
                c.Int64(ref next);
                return new MetadataRecord.ProducerIds(owner, ownerEpoch, next);
            default:
                throw new MalformedFrameException($"{kind} is no kind of metadata record", 0);
        }
    }

    private static sbyte KindOf(MetadataRecord record) => record switch
    {
        MetadataRecord.RegisterBroker => RegisterBroker,
        MetadataRecord.FenceBroker => FenceBroker,
        MetadataRecord.UnfenceBroker => UnfenceBroker,
        MetadataRecord.StartControlledShutdown => StartControlledShutdown,
        MetadataRecord.CreateTopic => CreateTopic,
        MetadataRecord.RemoveTopic => RemoveTopic,
        MetadataRecord.PartitionChange => PartitionChange,
        MetadataRecord.TopicConfig => TopicConfig,
        MetadataRecord.ProducerIds => ProducerIds,
        _ => throw new InvalidOperationException($"no such metadata record: {record}"),
    };

    private static void VisitBroker<TCodec>(ref TCodec c, ref int broker, ref long brokerEpoch) where TCodec : struct, ICodec
    {
        c.Int32(ref broker);
        c.Int64(ref brokerEpoch);
    }

    private static MetadataRecord.RegisterBroker Registration<TCodec>(ref TCodec c, MetadataRecord.RegisterBroker? from) where TCodec : struct, ICodec
    {
        var it = from?.Registration ?? new BrokerRegistration(0, Guid.Empty, 0, 0, new Endpoint("", 0), false, false);
        var (broker, incarnation, brokerEpoch, cleanSince, endpoint, fenced, leaving) = it;
        var (host, port) = endpoint;
        var previous = from?.PreviousBrokerEpoch ?? 0;
        VisitBroker(ref c, ref broker, ref brokerEpoch);
        c.Uuid(ref incarnation);
        c.Int64(ref cleanSince);
        c.String(ref host);
        c.Int32(ref port);
        c.Bool(ref fenced);
        c.Bool(ref leaving);
        c.Int64(ref previous);
        return new MetadataRecord.RegisterBroker(new BrokerRegistration(broker, incarnation, brokerEpoch, cleanSince, new Endpoint(host, port), fenced, leaving), previous);
    }

    private static MetadataRecord.PartitionChange Partition<TCodec>(ref TCodec c, MetadataRecord.PartitionChange? from) where TCodec : struct, ICodec
    {
        var (topic, partition) = from is null ? default : (from.Topic, from.Partition);
        var state = from?.State ?? new PartitionState([], NodeSet.Empty, NodeSet.Empty, -1, -1, 0, 0);
        var replicas = state.Replicas.ToList();
        var (isr, elr) = ((long)state.Isr.Bits, (long)state.Elr.Bits);
        var (lastKnownLeader, leader, leaderEpoch, partitionEpoch) = (state.LastKnownLeader, state.Leader, state.LeaderEpoch, state.PartitionEpoch);
        c.Uuid(ref topic);
        c.Int32(ref partition);
        c.Int32Array(ref replicas);
        c.Int64(ref isr);
        c.Int64(ref elr);
        c.Int32(ref lastKnownLeader);
        c.Int32(ref leader);
        c.Int32(ref leaderEpoch);
        c.Int32(ref partitionEpoch);
        return new MetadataRecord.PartitionChange(topic, partition, new PartitionState(
            [.. replicas], new NodeSet((ulong)isr), new NodeSet((ulong)elr), lastKnownLeader, leader, leaderEpoch, partitionEpoch));
    }
}
