namespace Broker.Hosting;

/// <summary>
/// What a node holds in memory for all its callers together: long requests, from their first byte until they are answered, and answers that wait to be sent. Used from the node's loop alone.
/// </summary>
/// <remarks>
/// Short requests are always taken: followers and brokers speak to leaders and controllers in them, so what waits for a replica never keeps that replica's fetch out.
/// A long one claims all of its length before it is read on, so those that were begun can be ended; who claims memory and then dawdles while others wait is cut off.
/// </remarks>
/// <param name="limit">queued.max.request.bytes: of requests, and as much again of answers. A request that is longer than that is taken alone. -1: none.</param>
internal sealed class CallerMemory(long limit)
{
    /// <summary>A request up to here costs no more than the buffer that every connection has anyway.</summary>
    public const int ShortRequest = 64 * 1024;

    private readonly List<Claim> claims = [];
    private readonly List<Claim> waiting = [];
    private long claimed, unsent;

    /// <summary>Bytes of answers that may be added before memory is short.</summary>
    public long AnswerRoom => limit < 0 ? long.MaxValue : Math.Max(0, limit - unsent);

    /// <summary>Answers were queued, or left.</summary>
    public void Unsent(long bytes) => unsent += bytes;

    /// <summary>Completes once there is room. Whoever was granted it, or gave up waiting, frees it.</summary>
    public ValueTask GrantAsync(Claim claim)
    {
        if (Fits(claim))
        {
            Grant(claim);
            return ValueTask.CompletedTask;
        }
        waiting.Add(claim);
        return new ValueTask(claim.Granted.Task);
    }

    public void Free(Claim claim)
    {
        if (claims.Remove(claim)) claimed -= claim.Bytes;
        else if (waiting.Remove(claim)) claim.LetGo();
        while (waiting.MinBy(static next => next.Bytes) is { } least && Fits(least))       // the shortest first: long ones that never end keep few others out
        {
            waiting.Remove(least);
            Grant(least);
            least.LetGo();
        }
    }

    /// <summary>Those that have not sent all of a long request in that time, while others wait for memory.</summary>
    public IEnumerable<SocketConnection> Dawdlers(TimeSpan patience)
    {
        var before = Environment.TickCount64 - (long)patience.TotalMilliseconds;
        return waiting.Count == 0 ? [] : claims.Where(claim => !claim.IsRead && claim.Since < before).Select(static claim => claim.By).ToArray();
    }

    private bool Fits(Claim claim) => limit < 0 || claimed == 0 || claimed + claim.Bytes <= limit;

    private void Grant(Claim claim)
    {
        claim.Since = Environment.TickCount64;
        claims.Add(claim);
        claimed += claim.Bytes;
    }

    /// <summary>Memory for one request.</summary>
    internal sealed class Claim(SocketConnection by, int bytes)
    {
        public SocketConnection By => by;

        public int Bytes => bytes;

        /// <summary>When it was granted, in the milliseconds of <see cref="Environment.TickCount64"/>.</summary>
        public long Since { get; set; }

        /// <summary>All of the request has come.</summary>
        public bool IsRead { get; set; }

        public TaskCompletionSource Granted { get; } = new();

        /// <summary>Whoever waits goes on in a turn of its own.</summary>
        public void LetGo()
        {
            if (SynchronizationContext.Current is not { } loop) Granted.TrySetResult();
            else loop.Post(static claim => ((Claim)claim!).Granted.TrySetResult(), this);
        }
    }
}
