using Broker.Core.Metadata;
using Broker.Core.Replication;

namespace Broker.Node.Serving;

/// <summary>Who this broker is to the cluster in this life, and what it knows of the others.</summary>
public sealed class BrokerIdentity(ReplicationRules rules, MetadataImage image)
{
    public MetadataImage Image { get; } = image;

    /// <summary>Of the current registration, -1 before the first.</summary>
    public long BrokerEpoch { get; set; } = -1;

    /// <summary>The metadata has reached this broker's own registration, so what it says of this broker is about this life.</summary>
    public bool MayServe => BrokerEpoch >= 0 && rules.MayServe(Image.Offset + 1, BrokerEpoch);

    public bool IsSameRegistration(BrokerRegistration registration, long brokerEpoch) => rules.IsSameRegistration(registration.BrokerEpoch, brokerEpoch);
}
