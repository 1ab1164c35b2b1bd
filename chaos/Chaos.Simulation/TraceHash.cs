using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Broker.Runtime;

namespace Chaos.Simulation;

/// <summary>A rolling hash over everything that happens, the same in every process: two runs with one hash did the same.</summary>
public sealed class TraceHash
{
    private const ulong Prime = 0x9E3779B97F4A7C15;
    private ulong state = 0x243F6A8885A308D3;

    public ulong Value => state ^ state >> 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Mix(ulong value) => state = BitOperations.RotateLeft((state ^ value) * Prime, 29);

    internal void Mix(TraceKind kind, int node, long time)
    {
        Mix((ulong)kind << 32 | (uint)node);
        Mix((ulong)time);
    }

    internal void Mix(ReadOnlySpan<byte> frame)
    {
        Mix((ulong)frame.Length);
        var words = MemoryMarshal.Cast<byte, ulong>(frame);
        foreach (var word in words) Mix(word);
        foreach (var rest in frame[(words.Length * 8)..]) Mix(rest);
    }

    internal void Mix(in Observation seen)
    {
        Mix((ulong)seen.Kind << 40 | (ulong)(byte)seen.Node.Value << 32 | (uint)seen.Epoch);
        Mix((ulong)seen.Offset);
        Mix((ulong)seen.EndOffset);
        Mix((ulong)(uint)seen.Other);
        Mix(seen.Nodes.Bits);
    }
}

internal enum TraceKind
{
    Turn = 1,
    Event,
    Frame,
    Start,
    Kill,
    Inject,
    Heal,
    Observed,
}
