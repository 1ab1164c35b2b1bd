using Chaos.Simulation;

namespace Verify.Campaign.Hunting;

/// <summary>Ends a run in which a mechanical mutant goes round for ever within one turn: it asks its rule again and again, and every question touches the wire.</summary>
public static class Tripwire
{
    /// <summary>What a mechanical mutant did that made the simulation itself give up.</summary>
    public const string Anomaly = "stalled";

    /// <summary>Far above what any run asks of one rule, and reached within seconds.</summary>
    private const long Limit = 50_000_000;

    [ThreadStatic]
    private static long touches;

    /// <summary>Before each run, on the thread of the run.</summary>
    public static void Reset() => touches = 0;

    /// <exception cref="StalledException">Too often in one run.</exception>
    public static void Touch()
    {
        if (++touches > Limit) throw new StalledException($"one rule was asked {Limit} times");
    }
}
