namespace Chaos.Faults;

/// <summary>The words by which people name faults.</summary>
public static class FaultWord
{
    public const string Crash = "crash";
    public const string Power = "power";
    public const string Pause = "pause";
    public const string Partition = "partition";
    public const string Delay = "delay";
    public const string Reset = "reset";
    public const string Clock = "clock";
    public const string Hold = "hold";
    public const string LoseAnswer = "lose-answer";
    public const string LagMetadata = "lag-metadata";
    public const string MoveLeader = "move-leader";
    public const string Fence = "fence";
    public const string Restart = "restart";
    public const string Disk = "disk";
    public const string DiskLies = "disk-lies";
    public const string BitRot = "bit-rot";

    public static IReadOnlyList<string> All { get; } =
    [
        Crash, Power, Pause, Partition, Delay, Reset, Clock, Hold, LoseAnswer, LagMetadata, MoveLeader, Fence, Restart, Disk, DiskLies, BitRot,
    ];

    /// <summary>All that an honest world does by itself: everything but disk troubles, which must be asked for.</summary>
    public static IReadOnlyList<string> Default { get; } =
    [
        Crash, Power, Pause, Partition, Delay, Reset, Clock, Hold, LoseAnswer, LagMetadata, MoveLeader, Fence, Restart,
    ];
}
