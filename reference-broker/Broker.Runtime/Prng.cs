using System.Numerics;

namespace Broker.Runtime;

/// <summary>
/// Chance from a seed: xoshiro256** (Blackman and Vigna, 2018), seeded by SplitMix64. A fixed algorithm of our own, since the
/// framework may change its own between versions. <see cref="Split"/> gives a component its own stream, so that a new draw here moves nothing there.
/// </summary>
public sealed class Prng
{
    private ulong s0, s1, s2, s3;

    public Prng(ulong seed)
    {
        s0 = SplitMix(ref seed);
        s1 = SplitMix(ref seed);
        s2 = SplitMix(ref seed);
        s3 = SplitMix(ref seed);
    }

    public ulong NextUInt64()
    {
        var result = BitOperations.RotateLeft(s1 * 5, 7) * 9;
        var t = s1 << 17;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= t;
        s3 = BitOperations.RotateLeft(s3, 45);
        return result;
    }

    /// <summary>Uniform in 0 (inclusive) .. <paramref name="bound"/> (exclusive); bound above zero. Bias below 2^-32 for the bounds used here.</summary>
    public int Below(int bound) => (int)((NextUInt64() >> 32) * (ulong)bound >> 32);

    /// <summary>Uniform in <paramref name="from"/> .. <paramref name="to"/>, both inclusive.</summary>
    public int Between(int from, int to) => from + Below(to - from + 1);

    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1ul << 53));

    /// <summary>True with the given probability.</summary>
    public bool Chance(double probability) => NextDouble() < probability;

    public TimeSpan Between(TimeSpan from, TimeSpan to) => from + TimeSpan.FromTicks((long)(NextDouble() * (to - from).Ticks));

    public T Pick<T>(IReadOnlyList<T> among) => among[Below(among.Count)];

    /// <summary>An independent stream; the same label on the same state gives the same stream.</summary>
    public Prng Split(ulong label) => new(s0 ^ BitOperations.RotateLeft(s3, 17) ^ (label + 1) * 0x9E3779B97F4A7C15);

    private static ulong SplitMix(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }
}
