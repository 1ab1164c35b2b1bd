using System.Buffers.Binary;
using Broker.Protocol;

namespace Broker.Core.Groups;

/// <summary>
/// Group records as keys and values of __consumer_offsets, byte for byte as Kafka writes them, so that its tools read them: OffsetCommitKey 1 with OffsetCommitValue 3,
/// GroupMetadataKey 2 with GroupMetadataValue 3. Source: Kafka's group-coordinator message definitions.
/// </summary>
public static class GroupRecordCodec
{
    private const short OldOffsetKey = 0, OffsetKey = 1, MetadataKey = 2, ValueVersion = 3;

    public static (byte[] Key, byte[]? Value) Encode(GroupRecord record) => record switch
    {
        GroupRecord.Offset it => (Write(KeyOf(it)), it.Value is { } value ? Write(OffsetFields.Of(value)) : null),
        GroupRecord.Metadata it => (Write(KeyOf(it)), it.Value is { } value ? Write(MetadataFields.Of(value)) : null),
        _ => throw new InvalidOperationException($"no such group record: {record}"),
    };

    /// <summary>Null for a key of another kind, which newer brokers may have written. Throws <see cref="MalformedFrameException"/> on bytes that are no group record.</summary>
    public static GroupRecord? Decode(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte>? value)
    {
        if (key.Length < 2 || BinaryPrimitives.ReadInt16BigEndian(key.Span) is not (OldOffsetKey or OffsetKey or MetadataKey)) return null;
        var read = Read<KeyFields>(key);
        return read.Version switch
        {
            OldOffsetKey or OffsetKey => new GroupRecord.Offset(read.Group, read.Topic, read.Partition, value is { } some ? Read<OffsetFields>(some).ToValue() : null),
            MetadataKey => new GroupRecord.Metadata(read.Group, value is { } some ? Read<MetadataFields>(some).ToValue() : null),
            _ => throw new InvalidOperationException($"unknown kind of key {read.Version}"),
        };
    }

    private static KeyFields KeyOf(GroupRecord.Offset it) => new() { Version = OffsetKey, Group = it.Group, Topic = it.Topic, Partition = it.Partition };

    private static KeyFields KeyOf(GroupRecord.Metadata it) => new() { Version = MetadataKey, Group = it.Group };

    private static byte[] Write<T>(T fields) where T : IMessage
    {
        var sizer = new FrameSizer(flexible: false, default);
        fields.Visit(ref sizer, ValueVersion);
        var bytes = new byte[sizer.Size];
        var writer = new FrameWriter(bytes, 0, flexible: false);
        fields.Visit(ref writer, ValueVersion);
        return bytes;
    }

    private static T Read<T>(ReadOnlyMemory<byte> bytes) where T : IMessage, new()
    {
        var reader = new FrameReader(bytes.ToArray(), 0, flexible: false, default);
        var fields = new T();
        fields.Visit(ref reader, ValueVersion);
        reader.EndOfFrame();
        return fields;
    }

    /// <summary>The version says which kind of record it is.</summary>
    private sealed class KeyFields : IMessage
    {
        public short Version;
        public string Group = "";
        public string Topic = "";
        public int Partition;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int16(ref Version);
            c.String(ref Group);
            if (Version is not (OldOffsetKey or OffsetKey)) return;
            c.String(ref Topic);
            c.Int32(ref Partition);
        }
    }

    private sealed class OffsetFields : IMessage
    {
        private short written = ValueVersion;
        private long offset;
        private int leaderEpoch;
        private string metadata = "";
        private long commitTimestamp;

        public static OffsetFields Of(CommittedOffset value) =>
            new() { offset = value.Offset, leaderEpoch = value.LeaderEpoch, metadata = value.Metadata, commitTimestamp = value.CommitTimestampMs };

        public CommittedOffset ToValue() => new(offset, leaderEpoch, metadata, commitTimestamp);

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int16(ref written);
            c.Int64(ref offset);
            c.Int32(ref leaderEpoch);
            c.String(ref metadata);
            c.Int64(ref commitTimestamp);
        }
    }

    private sealed class MetadataFields : IMessage
    {
        private short written = ValueVersion;
        private string protocolType = "";
        private int generation;
        private string? protocol;
        private string? leader;
        private long stateTimestamp;
        private List<MemberFields> members = [];

        public static MetadataFields Of(GroupMetadata value) => new()
        {
            protocolType = value.ProtocolType,
            generation = value.Generation,
            protocol = value.Protocol,
            leader = value.Leader,
            stateTimestamp = value.StateTimestampMs,
            members = [.. value.Members.Select(MemberFields.Of)],
        };

        public GroupMetadata ToValue() => new(protocolType, generation, protocol, leader, stateTimestamp, members.ConvertAll(member => member.ToValue()));

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int16(ref written);
            c.String(ref protocolType);
            c.Int32(ref generation);
            c.NullableString(ref protocol);
            c.NullableString(ref leader);
            c.Int64(ref stateTimestamp);
            c.Array(ref members, version);
        }
    }

    private sealed class MemberFields : IMessage
    {
        private string memberId = "";
        private string? instanceId;
        private string clientId = "";
        private string clientHost = "";
        private int rebalanceTimeout;
        private int sessionTimeout;
        private ReadOnlyMemory<byte> subscription;
        private ReadOnlyMemory<byte> assignment;

        public static MemberFields Of(MemberMetadata value) => new()
        {
            memberId = value.MemberId,
            instanceId = value.InstanceId,
            clientId = value.ClientId,
            clientHost = value.ClientHost,
            rebalanceTimeout = value.RebalanceTimeoutMs,
            sessionTimeout = value.SessionTimeoutMs,
            subscription = value.Subscription,
            assignment = value.Assignment,
        };

        public MemberMetadata ToValue() => new(memberId, instanceId, clientId, clientHost, rebalanceTimeout, sessionTimeout, subscription, assignment);

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.String(ref memberId);
            c.NullableString(ref instanceId);
            c.String(ref clientId);
            c.String(ref clientHost);
            c.Int32(ref rebalanceTimeout);
            c.Int32(ref sessionTimeout);
            c.Bytes(ref subscription);
            c.Bytes(ref assignment);
        }
    }
}
