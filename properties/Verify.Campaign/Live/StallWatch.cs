using Broker.Runtime;
using Verify.Campaign.Running;

namespace Verify.Campaign.Live;

/// <summary>Asks to be woken again and again, and notes each time that it was woken late: then the machine, or this program, stood still, and what nodes and clients did meanwhile looks like a fault that nobody planned.</summary>
public sealed class StallWatch(TimeProvider time, Func<TimeSpan> now)
{
    /// <summary>Between two wakings, and how late one may be.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50), Patience = TimeSpan.FromMilliseconds(200);

    private readonly List<Stall> stalls = [];

    public IReadOnlyList<Stall> Stalls => stalls;

    public bool MayStop { get; set; }

    public async Task WatchAsync()
    {
        while (!MayStop)
        {
            var asked = now();
            await time.DelayAsync(Pause);
            var late = now() - asked - Pause;
            if (late > Patience) stalls.Add(new Stall(asked, late));
        }
    }
}
