using Broker.Runtime;

namespace Verify.Tests.Clients;

/// <summary>A client's connection to one scripted broker, which serves its requests one after the other, as Kafka does.</summary>
internal sealed class ScriptedConnection : IConnection
{
    private readonly ScriptedCluster cluster;
    private readonly Queue<byte[]> requests = new();
    private readonly Queue<byte[]> answers = new();
    private readonly Signal arrived;
    private TaskCompletionSource? reader;
    private bool isClosed;

    public ScriptedConnection(ScriptedCluster cluster, int broker, Endpoint remote)
    {
        this.cluster = cluster;
        Broker = broker;
        Remote = remote;
        arrived = new Signal(cluster.Time);
        _ = ServeAsync();
    }

    public int Broker { get; }

    public Endpoint Remote { get; }

    public bool Send(byte[] frame)
    {
        if (isClosed) return false;
        requests.Enqueue(frame);
        arrived.Set();
        return true;
    }

    public async ValueTask<byte[]?> ReceiveAsync()
    {
        while (!isClosed && answers.Count == 0) await (reader = new TaskCompletionSource()).Task;
        return answers.TryDequeue(out var answer) ? answer : null;
    }

    public void Close()
    {
        isClosed = true;
        reader?.TrySetResult();
    }

    private async Task ServeAsync()
    {
        while (!isClosed)
        {
            if (requests.TryDequeue(out var frame))
            {
                await cluster.LatencyAsync();
                var hangUp = false;
                var answer = await cluster.ServeAsync(Broker, frame, () => hangUp = true);
                await cluster.LatencyAsync();
                if (answer is not null && !isClosed) answers.Enqueue(answer);
                if (hangUp) Close();
                reader?.TrySetResult();
            }
            else await arrived.WaitAsync(TimeSpan.FromDays(1));
        }
    }
}
