using System.Text;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Rpc;

/// <summary>Accepts connections and serves their requests: one at a time per connection and in order, as Kafka does.</summary>
/// <remarks>A frame that cannot be read, an unknown API or version closes that connection and nothing else (notes: kafka-answers, frames).</remarks>
public sealed class RequestServer(IHost host, Endpoint endpoint, RequestRouter router, TaskScope scope)
{
    private readonly HashSet<IConnection> connections = [];
    private IListener? listener;

    public void Start()
    {
        listener = host.Network.Listen(endpoint);
        scope.Start(AcceptAsync);
    }

    /// <summary>Closes the listener and every connection.</summary>
    public void Stop()
    {
        listener?.Dispose();
        foreach (var connection in connections.ToArray()) connection.Close();
    }

    private async Task AcceptAsync()
    {
        while (await listener!.AcceptAsync() is { } connection)
        {
            connections.Add(connection);
            scope.Start(() => ServeAsync(connection));
        }
    }

    private async Task ServeAsync(IConnection connection)
    {
        while (await connection.ReceiveAsync() is { } frame)
        {
            var reply = await router.AnswerAsync(frame, connection.Remote);
            if (reply.Fault is { } fault) host.Observe(new Observation(ObservationKind.ConnectionClosed, host.Id, Bytes: Encoding.UTF8.GetBytes($"{connection.Remote}: {fault}")));
            if (reply.Close || reply.Answer is { } answer && !connection.Send(answer)) break;
            await connection.SentAsync();
        }
        connection.Close();
        connections.Remove(connection);
    }
}
