using Broker.Runtime;

namespace Broker.Core.Metadata;

/// <summary>What the metadata log says of one broker (KIP-631).</summary>
/// <param name="Incarnation">Drawn anew by each start of the process.</param>
/// <param name="BrokerEpoch">Offset of the registration's record, so it grows with every registration.</param>
/// <param name="CleanSince">
/// Earliest broker epoch that a clean return may name: under it the broker was last let in, or returned uncleanly. Lives since then, if any, were registered and never let in: one that died before
/// it was even told of its registration changed nothing, so the next one may still name the epoch before.
/// </param>
/// <param name="Endpoint">Where clients and other brokers reach it.</param>
/// <param name="Fenced">Fenced brokers lead nothing, are in no ISR and are hidden from clients.</param>
/// <param name="InControlledShutdown">On its way out: its leaders move away and it joins no ISR.</param>
public sealed record BrokerRegistration(
    int Broker,
    Guid Incarnation,
    long BrokerEpoch,
    long CleanSince,
    Endpoint Endpoint,
    bool Fenced,
    bool InControlledShutdown)
{
    /// <summary>May lead partitions and join ISRs.</summary>
    public bool IsActive => !Fenced && !InControlledShutdown;
}
