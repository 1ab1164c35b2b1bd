namespace Broker.Node.Rpc;

/// <summary>The work of one request in parts, between which whoever else is ready has a turn. Nothing that was known before a pause may be taken for true after it.</summary>
internal sealed class LongWork
{
    private const int Part = 1 << 20;

    private int done;

    /// <summary>What an entry of a request costs that reads nothing, in bytes read.</summary>
    public const int Entry = 256;

    /// <summary>It is time for a pause.</summary>
    public bool HasDone(int bytes) => (done += bytes) >= Part;

    public async ValueTask PauseAsync()
    {
        done = 0;
        await Task.Yield();
    }
}
