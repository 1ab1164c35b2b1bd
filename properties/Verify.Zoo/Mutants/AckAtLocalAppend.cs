using Broker.Core.Replication;

namespace Verify.Zoo.Mutants;

/// <summary>acks=all is answered as soon as the leader has appended.</summary>
public sealed class AckAtLocalAppend : ReplicationRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "ack-at-local-append",
        "smoke test; Jepsen's RabbitMQ report of 2014 (confirm before replication)",
        "acks=all is answered as soon as the leader has appended.",
        Rarity.Easy,
        ["lost-write"],
        "log")
    {
        Broker = static rules => rules with { Replication = new AckAtLocalAppend() },
    };

    public override bool IsCommitted(long highWatermark, long nextOffset) => true;
}
