using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Campaign.Hunting;

/// <summary>What mechanical mutants do to the answer of the rule that they override. Public because generated code calls it.</summary>
public static class Twist
{
    public static int More(int number) => number + 1;

    public static int Less(int number) => number - 1;

    public static long More(long number) => number + 1;

    public static long Less(long number) => number - 1;

    public static short More(short number) => (short)(number + 1);

    public static short Less(short number) => (short)(number - 1);

    public static long? More(long? number) => number + 1;

    public static long? Less(long? number) => number - 1;

    /// <summary>A millisecond: what Kafka's settings count in.</summary>
    public static TimeSpan More(TimeSpan time) => time + TimeSpan.FromMilliseconds(1);

    public static TimeSpan Less(TimeSpan time) => time > TimeSpan.FromMilliseconds(1) ? time - TimeSpan.FromMilliseconds(1) : TimeSpan.Zero;

    /// <summary>The candidate after the one that was chosen, going round.</summary>
    public static T Another<T>(IReadOnlyList<T> candidates, T chosen)
    {
        var at = candidates.ToList().IndexOf(chosen);
        return candidates.Count == 0 ? chosen : candidates[(at + 1) % candidates.Count];
    }

    /// <summary>The value of an enumeration after the one that was chosen, going round.</summary>
    public static T AnotherValue<T>(T chosen) where T : struct, Enum => Another(Enum.GetValues<T>(), chosen);

    /// <summary>Two adjacent elements exchanged; unchanged where there are not so many.</summary>
    public static IReadOnlyList<T> Swapped<T>(IReadOnlyList<T> steps, int at)
    {
        if (at + 1 >= steps.Count) return steps;
        var swapped = steps.ToArray();
        (swapped[at], swapped[at + 1]) = (swapped[at + 1], swapped[at]);
        return swapped;
    }

    /// <summary>One element left out; unchanged where there are not so many.</summary>
    public static IReadOnlyList<T> Without<T>(IReadOnlyList<T> steps, int at) => [.. steps.Where((_, index) => index != at)];
}
