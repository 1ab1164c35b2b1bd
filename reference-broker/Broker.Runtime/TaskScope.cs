namespace Broker.Runtime;

/// <summary>Owner of the background work of one node: the first failure is kept and ends the scope; nothing is lost silently.</summary>
public sealed class TaskScope
{
    private readonly TaskCompletionSource failed = new();

    /// <summary>Completes, with the exception, when any of the work failed.</summary>
    public Task Failed => failed.Task;

    /// <summary>Starts work on the current loop and watches it.</summary>
    public void Start(Func<Task> work) => _ = WatchAsync(work);

    private async Task WatchAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception failure)                                      // every failure belongs to the scope's owner
        {
            failed.TrySetException(failure);
        }
    }
}
