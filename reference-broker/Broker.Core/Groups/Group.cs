using Broker.Protocol;

namespace Broker.Core.Groups;

/// <summary>Where a group stands (classic protocol).</summary>
public enum GroupState
{
    /// <summary>No members; perhaps offsets.</summary>
    Empty,

    /// <summary>Members join.</summary>
    PreparingRebalance,

    /// <summary>The generation is complete; its leader's assignment is awaited.</summary>
    CompletingRebalance,
    Stable,

    /// <summary>Deleted; the name may begin anew.</summary>
    Dead,
}

/// <summary>One member of a group.</summary>
internal sealed class Member(string id, string? instanceId)
{
    public string Id { get; set; } = id;

    public string? InstanceId { get; } = instanceId;

    public bool IsStatic => InstanceId is not null;

    public string ClientId { get; set; } = "";

    public string ClientHost { get; set; } = "";

    public TimeSpan SessionTimeout { get; set; }

    public TimeSpan RebalanceTimeout { get; set; }

    public List<JoinGroupProtocol> Protocols { get; set; } = [];

    public ReadOnlyMemory<byte> Assignment { get; set; }

    public TimeSpan LastContact { get; set; }

    /// <summary>Who waits for the answer to its join, and in which version it asked.</summary>
    public GroupCaller? Joining { get; set; }

    public GroupCaller? Syncing { get; set; }

    /// <summary>It has asked for its share of this generation.</summary>
    public bool HasSynced { get; set; }

    public ReadOnlyMemory<byte> MetadataOf(string? protocol) => Protocols.Find(known => known.Name == protocol)?.Metadata ?? ReadOnlyMemory<byte>.Empty;

    public bool Knows(IReadOnlyList<JoinGroupProtocol> protocols) =>
        protocols.Count == Protocols.Count && Protocols.Zip(protocols).All(static pair => pair.First.Name == pair.Second.Name && pair.First.Metadata.Span.SequenceEqual(pair.Second.Metadata.Span));
}

/// <summary>A group as its coordinator has it.</summary>
internal sealed class Group(string id)
{
    public string Id { get; } = id;

    public GroupState State { get; private set; } = GroupState.Empty;

    public int Generation { get; set; }

    /// <summary>Null: never had members.</summary>
    public string? ProtocolType { get; set; }

    public string? Protocol { get; set; }

    public string? Leader { get; set; }

    public long StateTimestampMs { get; set; }

    /// <summary>When the phase of a rebalance began, and how long it may take.</summary>
    public TimeSpan PhaseStart { get; set; }

    public TimeSpan PhaseLimit { get; set; }

    /// <summary>What may be left of the initial delay; null when there is none, or it is over.</summary>
    public TimeSpan? DelayLeft { get; set; }

    /// <summary>Somebody came during the initial delay.</summary>
    public bool NewcomerJoined { get; set; }

    /// <summary>In the order in which they first joined.</summary>
    public List<Member> Members { get; } = [];

    /// <summary>Ids that were given out and did not come yet (KIP-394): since when, and for how long they are kept.</summary>
    public SortedDictionary<string, (TimeSpan Since, TimeSpan Limit)> ToCome { get; } = new(StringComparer.Ordinal);

    /// <summary>What who asks is told.</summary>
    public SortedDictionary<(string Topic, int Partition), CommittedOffset> Offsets { get; } = new(OffsetOrder);

    public bool IsEmpty => State is GroupState.Empty;

    public static Comparer<(string Topic, int Partition)> OffsetOrder { get; } = Comparer<(string Topic, int Partition)>.Create(static (one, other) =>
        string.CompareOrdinal(one.Topic, other.Topic) is var byTopic and not 0 ? byTopic : one.Partition.CompareTo(other.Partition));

    public Member? Find(string memberId) => Members.Find(member => member.Id == memberId);

    public Member? Instance(string? instanceId) => instanceId is null ? null : Members.Find(member => member.InstanceId == instanceId);

    public TimeSpan LongestRebalance => Members.Count == 0 ? TimeSpan.Zero : Members.Max(member => member.RebalanceTimeout);

    public void Become(GroupState state, GroupTime at)
    {
        State = state;
        StateTimestampMs = at.UtcMs;
    }

    /// <summary>Protocols that every member knows, in the order of the first member's preference.</summary>
    public List<string> CommonProtocols() =>
        Members.Count == 0 ? [] : [.. Members[0].Protocols.Select(static known => known.Name).Where(name => Members.TrueForAll(member => member.Protocols.Exists(known => known.Name == name)))];

    /// <summary>Whether who knows these protocols can be a member.</summary>
    public bool Supports(string protocolType, IReadOnlyList<JoinGroupProtocol> protocols)
    {
        if (protocolType.Length == 0 || protocols.Count == 0) return false;
        if (Members.Count == 0) return true;
        var common = CommonProtocols();
        return protocolType == ProtocolType && protocols.Any(offered => common.Contains(offered.Name));
    }

    /// <summary>Whether a member subscribes to the topic; true as well where what they wrote is unreadable.</summary>
    public bool Subscribes(string topic) => Members.Exists(member => ConsumerProtocol.TopicsOf(member.MetadataOf(Protocol))?.Contains(topic) ?? true);

    public GroupMetadata ToMetadata() => new(ProtocolType ?? "", Generation, Protocol, Leader, StateTimestampMs, Members.ConvertAll(member => new MemberMetadata(
        member.Id, member.InstanceId, member.ClientId, member.ClientHost, (int)member.RebalanceTimeout.TotalMilliseconds, (int)member.SessionTimeout.TotalMilliseconds,
        member.MetadataOf(Protocol), member.Assignment)));
}
