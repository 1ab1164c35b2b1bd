using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Verify.History;

namespace Verify.Properties.Checkers;

/// <summary>Small histories: of a real log, with or without damage, and of pure noise.</summary>
internal static class RandomHistories
{
    private static readonly EventFunction[] Functions =
        [EventFunction.Send, EventFunction.Send, EventFunction.Send, EventFunction.Poll, EventFunction.Poll, EventFunction.Poll, EventFunction.Txn, EventFunction.Assign, EventFunction.Subscribe, EventFunction.Assigned, EventFunction.Revoked, EventFunction.Crash, EventFunction.Final];

    /// <summary>Events without sense, so close together that every anomaly turns up.</summary>
    public static Arbitrary<ImmutableArray<Happening>> Noise { get; } = Arb.From(Gen.Sized(static size => Gen.Choose(0, int.MaxValue).Select(seed => NoiseOf(seed, size))), Shrink);

    /// <summary>The same of two consumer groups: sends, polls, and all that members do. Half of the histories tell no commits, or no processing.</summary>
    public static Arbitrary<ImmutableArray<Happening>> GroupNoise { get; } = Arb.From(Gen.Sized(static size => Gen.Choose(0, int.MaxValue).Select(seed => GroupNoiseOf(seed, size))), Shrink);

    /// <summary>What clients of a faithful log see: everything is read in the end, by two processes, from the beginning.</summary>
    public static Arbitrary<ImmutableArray<Happening>> Valid { get; } = Arb.From(Gen.Choose(0, int.MaxValue).Select(static seed => new FaithfulLog(seed).Run()));

    /// <summary>The same with up to four changes anywhere.</summary>
    public static Arbitrary<ImmutableArray<Happening>> Damaged { get; } = Arb.From(Gen.Choose(0, int.MaxValue - 1).Select(static seed => Damage(new FaithfulLog(seed).Run(), new Random(seed + 1))), Shrink);

    public static IEnumerable<ImmutableArray<Happening>> Shrink(ImmutableArray<Happening> history)
    {
        for (var size = history.Length / 2; size > 0; size /= 2)
            for (var at = 0; at + size <= history.Length; at += size) yield return history.RemoveRange(at, size);
        for (var at = 0; at < history.Length; at++)
            for (var i = 0; i < history[at].Reads.Length; i++) yield return history.SetItem(at, history[at] with { Reads = history[at].Reads.RemoveAt(i) });
    }

    public static ImmutableArray<Happening> NoiseOf(int seed, int size)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, random.Next(2, 4 + size / 2)).Select(_ => Any(random))];
    }

    public static ImmutableArray<Happening> GroupNoiseOf(int seed, int size)
    {
        var random = new Random(seed);
        EventFunction[] told = random.Next(4) switch
        {
            0 => [EventFunction.Poll, EventFunction.Txn, EventFunction.Subscribe],
            1 => [EventFunction.Poll, EventFunction.Commit, EventFunction.Commit],
            _ => [EventFunction.Process, EventFunction.Commit, EventFunction.Commit],
        };
        EventFunction[] functions = [EventFunction.Send, EventFunction.Poll, EventFunction.Assigned, EventFunction.Assigned, EventFunction.Revoked, EventFunction.Subscribe, EventFunction.Final, EventFunction.Crash, .. told, .. told];
        var history = new List<Happening>();
        for (var left = random.Next(2, 4 + size / 2); left > 0; left--) AddOfGroup(history, random, AnyOfGroup(random, functions));
        return [.. history];
    }

    /// <summary>Most commits and assignments have an invocation somewhere before.</summary>
    private static void AddOfGroup(List<Happening> history, Random random, Happening e)
    {
        if (e.Function is EventFunction.Commit or EventFunction.Assigned && e.Type != EventType.Invoke && random.Next(4) > 0) history.Insert(Math.Max(0, history.Count - random.Next(4)), e with { Type = EventType.Invoke });
        history.Add(e);
    }

    private static Happening AnyOfGroup(Random random, EventFunction[] functions)
    {
        var function = functions[random.Next(functions.Length)];
        var type = random.Next(8) switch { 0 => EventType.Fail, 1 => EventType.Info, 2 => EventType.Invoke, _ => EventType.Ok };
        var happening = new Happening(type, function, random.Next(3)) { Group = random.Next(6) switch { 0 => -1, 1 => 1, _ => 0 } };
        return function switch
        {
            EventFunction.Send => happening with { Group = -1, Type = EventType.Ok, Sends = [new Sending(random.Next(2), random.Next(6), random.Next(6))] },
            EventFunction.Poll or EventFunction.Txn => happening with { Group = -1, Reads = [.. Enumerable.Range(0, random.Next(4)).Select(_ => new Reading(random.Next(2), random.Next(-1, 6), random.Next(6)))] },
            EventFunction.Process => happening with { Offsets = [new KeyOffset(random.Next(2), random.Next(6))] },
            EventFunction.Commit or EventFunction.Assigned => happening with
            {
                Member = random.Next(3) == 0 ? 5 : -1,
                Generation = random.Next(4) == 0 ? -1 : random.Next(3),
                Keys = function == EventFunction.Assigned ? [0, 1] : [],
                Offsets = [.. Enumerable.Range(0, random.Next(3)).Select(_ => new KeyOffset(random.Next(2), random.Next(-1, 7)))],
            },
            EventFunction.Crash => happening with { Group = -1 },
            _ => happening with { Keys = [.. Enumerable.Range(0, 2).Where(_ => random.Next(3) > 0)] },
        };
    }

    private static Happening Any(Random random)
    {
        var function = Functions[random.Next(Functions.Length)];
        var happening = new Happening((EventType)random.Next(4), function, random.Next(3));
        if (function is EventFunction.Send or EventFunction.Txn) happening = happening with { Sends = [.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => AnySending(random))] };
        if (function is EventFunction.Poll or EventFunction.Txn) happening = happening with { Reads = [.. Enumerable.Range(0, random.Next(4)).Select(_ => new Reading(random.Next(2), random.Next(-1, 6), random.Next(6)))] };
        if (function is EventFunction.Assign or EventFunction.Assigned or EventFunction.Revoked or EventFunction.Final)
            happening = happening with { Keys = [.. Enumerable.Range(0, 2).Where(_ => random.Next(3) > 0)], FromBeginning = random.Next(2) == 0 && function == EventFunction.Assign };
        return happening;
    }

    private static Sending AnySending(Random random) => new(random.Next(2), random.Next(6), random.Next(-1, 6), random.Next(-1, 2));

    private static ImmutableArray<Happening> Damage(ImmutableArray<Happening> history, Random random)
    {
        for (var left = random.Next(1, 5); left > 0; left--)
        {
            var at = random.Next(history.Length);
            var e = history[at];
            history = random.Next(7) switch
            {
                0 => history.RemoveAt(at),
                1 => history.Insert(random.Next(history.Length), e),
                2 => history.SetItem(at, e with { Type = (EventType)random.Next(4) }),
                3 => history.SetItem(at, e with { Reads = [.. e.Reads.Where(_ => random.Next(3) > 0)] }),
                4 => history.SetItem(at, e with { Reads = [.. e.Reads.Select(r => random.Next(3) > 0 ? r : r with { Offset = r.Offset + random.Next(-1, 3) })] }),
                5 => history.SetItem(at, e with { Sends = [.. e.Sends.Select(s => s with { Offset = s.Offset + random.Next(-1, 2) })] }),
                _ => history.SetItem(at, Any(random)),
            };
        }
        return history;
    }
}

/// <summary>Three producers, two consumers and a log per partition that keeps its word: operations take effect at one moment between invocation and completion.</summary>
internal sealed class FaithfulLog(int seed)
{
    private readonly Random random = new(seed);
    private readonly List<(int Offset, int Value)>[] logs = [[], [], []];
    private readonly Dictionary<(int Process, int Key), int> positions = [];
    private readonly List<Happening> history = [];
    private readonly Dictionary<int, ImmutableArray<Sending>> pending = [];
    private int lastValue;

    public ImmutableArray<Happening> Run()
    {
        for (var step = random.Next(20, 60); step > 0 || pending.Count > 0; step--)
        {
            var process = random.Next(5);
            if (process >= 3) Poll(process);
            else if (pending.Remove(process, out var sends)) Complete(process, sends);
            else if (step > 0) Invoke(process);
        }
        foreach (var process in (int[])[3, 4]) ReadEverything(process);
        return [.. history];
    }

    private void Invoke(int process)
    {
        pending[process] = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => new Sending(random.Next(3), ++lastValue, -1, random.Next(-1, 2)))];
        history.Add(new Happening(EventType.Invoke, EventFunction.Send, process) { Sends = pending[process] });
    }

    private void Complete(int process, ImmutableArray<Sending> sends)
    {
        var type = random.Next(10) switch { 0 => EventType.Fail, 1 => EventType.Info, _ => EventType.Ok };
        var completed = ImmutableArray.CreateBuilder<Sending>();
        var applied = type == EventType.Ok || type == EventType.Info && random.Next(2) == 0;
        foreach (var send in sends) completed.Add(applied && Append(send) is var offset && type == EventType.Ok ? send with { Offset = offset } : send);
        history.Add(new Happening(type, EventFunction.Send, process) { Sends = completed.ToImmutable() });
    }

    /// <summary>Now and then an offset is left out, as a transaction marker would.</summary>
    private int Append(Sending send)
    {
        var log = logs[send.Key];
        var offset = (log.Count == 0 ? -1 : log[^1].Offset) + (random.Next(5) == 0 ? 2 : 1);
        log.Add((offset, send.Value));
        return offset;
    }

    private void Poll(int process)
    {
        var reads = ImmutableArray.CreateBuilder<Reading>();
        var limit = random.Next(6);
        for (var key = 0; key < logs.Length; key++)
        {
            var position = positions.GetValueOrDefault((process, key));
            for (; position < logs[key].Count && reads.Count < limit; position++) reads.Add(new Reading(key, logs[key][position].Offset, logs[key][position].Value));
            positions[(process, key)] = position;
        }
        history.Add(new Happening(EventType.Ok, EventFunction.Poll, process) { Reads = reads.ToImmutable() });
    }

    private void ReadEverything(int process)
    {
        history.Add(new Happening(EventType.Ok, EventFunction.Assign, process) { Keys = [0, 1, 2], FromBeginning = true });
        for (var key = 0; key < logs.Length; key++) positions[(process, key)] = 0;
        while (Enumerable.Range(0, logs.Length).Any(key => positions[(process, key)] < logs[key].Count)) Poll(process);
        history.Add(new Happening(EventType.Ok, EventFunction.Final, process) { Keys = [0, 1, 2] });
    }
}
