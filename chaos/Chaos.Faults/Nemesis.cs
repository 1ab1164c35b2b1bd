using Broker.Runtime;

namespace Chaos.Faults;

/// <summary>Something that can be hurt: a simulated world, or real processes.</summary>
/// <remarks>
/// The target reports a fault that really changed something as <see cref="ObservationKind.FaultBit"/> and its end as
/// <see cref="ObservationKind.FaultHealed"/>, both with the index in <see cref="Observation.Other"/>. A fault that touches nobody is not reported.
/// </remarks>
public interface IFaultTarget
{
    /// <summary>Who plays the role now, or null. <see cref="NodeRef.Observed"/> is resolved by the nemesis.</summary>
    NodeId? Find(NodeRef role);

    /// <param name="fault">With every role resolved.</param>
    void Inject(int index, Fault fault);

    /// <summary>Ends the fault of that index; nothing if it is not active.</summary>
    void Heal(int index);
}

/// <summary>What became of one fault of the schedule.</summary>
/// <param name="Resolved">As injected; null when it was never injected.</param>
/// <param name="Bit">The target reported that it changed something.</param>
public sealed record FaultOutcome(int Index, Fault Fault, Fault? Resolved, TimeSpan? At, bool Vetoed, bool Bit);

/// <summary>Waits for triggers and calls; what a fault means is the target's business.</summary>
/// <param name="time">The clock of whoever runs the campaign; timers fire after the turn that pulled the trigger.</param>
public sealed class Nemesis(FaultSchedule schedule, IFaultTarget target, TimeProvider time)
{
    private readonly Entry[] entries = [.. schedule.Select((fault, index) => new Entry(index, fault))];
    private readonly ObservationKindSet waitedFor = new(schedule);
    private long start;
    private bool loose;

    /// <summary>Asked when a fault is about to be injected; true keeps it from happening (it then counts as not bitten).</summary>
    public Func<Fault, bool>? Veto { get; set; }

    public IReadOnlyList<FaultOutcome> Outcomes =>
        [.. entries.Select(e => new FaultOutcome(e.Index, e.Fault, e.Resolved, e.FiredAt, e.Vetoed, e.Bit))];

    /// <summary>How many faults of each word really bit.</summary>
    public IReadOnlyDictionary<string, int> Bitten
    {
        get
        {
            var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
            foreach (var entry in entries)
            {
                if (entry.Bit) counts[entry.Fault.Word] = counts.GetValueOrDefault(entry.Fault.Word) + 1;
            }

            return counts;
        }
    }

    /// <summary>Lets it loose: times in the schedule count from here.</summary>
    public void Start()
    {
        start = time.GetTimestamp();
        loose = true;
        foreach (var entry in entries)
        {
            if (entry.Fault.When is Trigger.At(var at)) FireIn(entry, at, NodeId.None);
        }
    }

    /// <summary>Every observation of the world passes here.</summary>
    public void Observe(in Observation seen)
    {
        if (seen.Kind == ObservationKind.FaultBit && (uint)seen.Other < (uint)entries.Length) entries[seen.Other].Bit = true;
        if (!loose || !waitedFor.Contains(seen.Kind)) return;
        foreach (var entry in entries)
        {
            if (entry.Triggered || entry.Fault.When is not Trigger.After(var what, var count, var delay, var since) || !what.Matches(seen) || time.GetElapsedTime(start) < since) continue;
            if (++entry.Seen < count) continue;
            FireIn(entry, delay, seen.Node);
        }
    }

    /// <summary>No more faults from here on; those that are active stay until they are healed.</summary>
    public void Stop()
    {
        loose = false;
        foreach (var entry in entries) entry.FireTimer?.Dispose();
    }

    /// <summary>Ends the safety phase: nothing new, and everything that is active is healed.</summary>
    public void HealAll()
    {
        Stop();
        foreach (var entry in entries) Heal(entry);
    }

    private void FireIn(Entry entry, TimeSpan delay, NodeId observed)
    {
        entry.Triggered = true;
        entry.FireTimer = time.CreateTimer(_ => Fire(entry, observed), null, delay < TimeSpan.Zero ? TimeSpan.Zero : delay, Timeout.InfiniteTimeSpan);
    }

    private void Fire(Entry entry, NodeId observed)
    {
        if (!loose) return;
        var fault = entry.Fault.Resolve(role => role is NodeRef.Observed ? observed == NodeId.None ? null : observed : target.Find(role));
        if (fault is null) return;                                     // nobody plays the role: it cannot happen now
        if (Veto?.Invoke(fault) is true)
        {
            entry.Vetoed = true;
            return;
        }

        entry.Resolved = fault;
        entry.FiredAt = time.GetElapsedTime(start);
        entry.Active = true;
        target.Inject(entry.Index, fault);
        if (fault.HowLong > TimeSpan.Zero) entry.HealTimer = time.CreateTimer(_ => Heal(entry), null, fault.HowLong, Timeout.InfiniteTimeSpan);
        else Heal(entry);
    }

    private void Heal(Entry entry)
    {
        if (!entry.Active) return;
        entry.Active = false;
        entry.HealTimer?.Dispose();
        target.Heal(entry.Index);
    }

    private sealed class Entry(int index, Fault fault)
    {
        public int Index { get; } = index;
        public Fault Fault { get; } = fault;
        public Fault? Resolved { get; set; }
        public TimeSpan? FiredAt { get; set; }
        public ITimer? FireTimer { get; set; }
        public ITimer? HealTimer { get; set; }
        public int Seen { get; set; }
        public bool Triggered { get; set; }
        public bool Active { get; set; }
        public bool Vetoed { get; set; }
        public bool Bit { get; set; }
    }

    /// <summary>The kinds that any trigger waits for: most observations match none and must cost next to nothing.</summary>
    private readonly struct ObservationKindSet(FaultSchedule schedule)
    {
        private readonly ulong bits = schedule.Select(fault => fault.When).OfType<Trigger.After>().Aggregate(0ul, (all, after) => all | 1ul << (int)after.What.Kind);

        public bool Contains(ObservationKind kind) => (bits >> (int)kind & 1) != 0;
    }
}
