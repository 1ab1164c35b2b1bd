namespace Chaos.Simulation;

/// <summary>How the simulated world behaves where nothing is broken, and how it breaks.</summary>
public sealed record SimOptions
{
    public static SimOptions Default { get; } = new();

    /// <summary>Time of flight of a frame, drawn uniformly; order within a connection is kept.</summary>
    public TimeSpan LatencyMin { get; init; } = TimeSpan.FromMicroseconds(200);

    public TimeSpan LatencyMax { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Duration of a flush, drawn uniformly.</summary>
    public TimeSpan FlushMin { get; init; } = TimeSpan.FromMicroseconds(100);

    public TimeSpan FlushMax { get; init; } = TimeSpan.FromMicroseconds(300);

    /// <summary>When a connection dies with frames in flight: how often a drawn prefix of them arrives late; otherwise all arrive in time (close) or none (reset, power).</summary>
    public double LatePrefixChance { get; init; } = 0.5;

    /// <summary>How late such a prefix may be.</summary>
    public TimeSpan LateBy { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>After a cut heals, held frames are retransmitted within this time.</summary>
    public TimeSpan Retransmit { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>First pause of a connect that got no answer; doubles each time.</summary>
    public TimeSpan ConnectRetry { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>A graceful stop that takes longer is a crash.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A node that died of a disk fault which is already over starts again after this time.</summary>
    public TimeSpan RestartDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Turns without time moving on after which the world is taken for a livelock.</summary>
    public int TurnsPerInstant { get; init; } = 1_000_000;

    /// <summary>Turns and events in each five minutes that a run may last, after which somebody is taken to go round for ever; far above what a right broker takes, and few enough to fit into memory.</summary>
    public long MostSteps { get; init; } = 10_000_000;

    /// <summary>The wall clock at time zero.</summary>
    public DateTimeOffset Epoch { get; init; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
}
