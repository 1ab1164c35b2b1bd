using System.Buffers.Binary;

namespace Broker.Runtime;

/// <summary>
/// The asking end of a connection: requests leave at once and in order, answers find their request by correlation id
/// (bytes 4..8 of a Kafka request, 0..4 of its answer), each within its own time-out.
/// </summary>
/// <remarks>
/// A time-out closes the channel, as in Kafka's own client: whoever did not get his answer in time cannot know what happened, and a
/// later answer must not be taken for another's. Every exchange then ends with null: "may have happened".
/// </remarks>
public sealed class RequestChannel
{
    private readonly Dictionary<int, Exchange> waiting = [];
    private readonly IHost host;
    private readonly IConnection connection;
    private int lastCorrelationId;

    private RequestChannel(IHost host, IConnection connection)
    {
        this.host = host;
        this.connection = connection;
        IsOpen = true;
    }

    public bool IsOpen { get; private set; }

    public Endpoint Remote => connection.Remote;

    /// <summary>Null when refused, unreachable, or not answered in time.</summary>
    public static async ValueTask<RequestChannel?> OpenAsync(IHost host, Endpoint to, TimeSpan timeout)
    {
        var connection = await host.Network.ConnectAsync(to, timeout);
        if (connection is null) return null;
        var channel = new RequestChannel(host, connection);
        _ = channel.ReadAnswersAsync();
        return channel;
    }

    public int NextCorrelationId() => ++lastCorrelationId;

    /// <summary>The answer's frame, or null when the connection closed or the time ran out: the request may have been executed.</summary>
    public Task<byte[]?> ExchangeAsync(byte[] requestFrame, int correlationId, TimeSpan timeout)
    {
        if (!Send(requestFrame)) return Task.FromResult<byte[]?>(null);
        var exchange = new Exchange(this);
        waiting.Add(correlationId, exchange);
        exchange.Timer = host.Time.CreateTimer(static state => ((Exchange)state!).Channel.Close(), exchange, timeout, Timeout.InfiniteTimeSpan);
        return exchange.Task;
    }

    /// <summary>For requests without an answer (produce with acks=0). False when the channel is known to be closed.</summary>
    public bool Send(byte[] requestFrame)
    {
        if (IsOpen && connection.Send(requestFrame)) return true;
        Close();
        return false;
    }

    public void Close()
    {
        if (!IsOpen) return;
        IsOpen = false;
        connection.Close();
        var abandoned = waiting.Values.ToArray();
        waiting.Clear();
        foreach (var exchange in abandoned) exchange.Conclude(null);
    }

    private async Task ReadAnswersAsync()
    {
        while (await connection.ReceiveAsync() is { } frame)
        {
            if (frame.Length < 4) break;
            if (waiting.Remove(BinaryPrimitives.ReadInt32BigEndian(frame), out var exchange)) exchange.Conclude(frame);
        }
        Close();
    }

    private sealed class Exchange(RequestChannel channel) : TaskCompletionSource<byte[]?>
    {
        public RequestChannel Channel { get; } = channel;

        public ITimer? Timer { get; set; }

        public void Conclude(byte[]? frame)
        {
            Timer?.Dispose();
            TrySetResult(frame);
        }
    }
}
