using Broker.Core.Replication;

namespace Verify.Zoo.Mutants;

/// <summary>A new follower cuts its log to its own high watermark, which trails its leader's by a fetch; made leader right then, it lacks acknowledged records.</summary>
public sealed class TruncateToHighWatermark : ReplicationRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "truncate-to-high-watermark",
        "KIP-101 scenario 1, KAFKA-1211; TLA+ KafkaTruncateToHighWatermark",
        "A new follower cuts its log to its own high watermark, which trails its leader's by a fetch; made leader right then, it lacks acknowledged records.",
        Rarity.Extreme,
        ["lost-write"],
        "log")
    {
        Broker = static rules => rules with { Replication = new TruncateToHighWatermark() },
    };

    public override long TruncateOnBecomingFollower(long highWatermark, long logEndOffset) => Math.Min(highWatermark, logEndOffset);
}
