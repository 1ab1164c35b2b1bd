using Broker.Core;
using Broker.Hosting;
using Broker.Node;
using Broker.Runtime;

namespace Broker.Embedded;

/// <summary>One node of this process: its lives, one after another, on the same ports and the same disk.</summary>
internal sealed class EmbeddedNode(ServerConfiguration configuration, Func<IDisk> disk, EmbeddedClusterOptions options, Action<NodeId, Exception> failed) : IDisposable
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(2);

    private Life? life;
    private ulong lives;

    public ServerConfiguration Configuration { get; } = configuration;

    public NodeId Id => Configuration.Id;

    public bool IsUp => life is not null;

    public void Start()
    {
        if (life is not null) throw new InvalidOperationException($"node {Id} runs already");
        var begun = new Life(Configuration, disk(), options, new Prng((ulong)DateTime.UtcNow.Ticks).Split((ulong)Id.Value << 32 | ++lives));
        life = begun;
        _ = WatchAsync(begun);
    }

    /// <summary>Waits until the node serves and sees all the brokers named, each let in by the controller.</summary>
    public Task ReadyAsync(IReadOnlyList<NodeId> brokers)
    {
        var waiting = Alive();
        return waiting.Host.Loop.RunAsync(async () =>
        {
            while (!waiting.IsReady(brokers)) await waiting.Host.Time.DelayAsync(LookAgain);
        });
    }

    /// <summary>Hands leaderships over and flushes. The node still answers until it is disposed of.</summary>
    public Task LeaveAsync(TimeSpan limit)
    {
        var leaving = Alive();
        return leaving.Host.Loop.RunAsync(() => leaving.Server.StopAsync(limit));
    }

    /// <summary>Ends the life at once, as the death of a process does.</summary>
    public void End()
    {
        var ended = life;
        life = null;
        ended?.Host.Dispose();
    }

    public void Dispose() => End();

    private Life Alive() => life ?? throw new InvalidOperationException($"node {Id} is down");

    private async Task WatchAsync(Life watched)
    {
        try
        {
            await await Task.WhenAny(watched.Running, watched.Host.Loop.Failed);
        }
        catch (Exception failure)                                      // whatever stopped it: the owner is told, nobody else can be
        {
            if (life == watched) failed(Id, failure);
        }
    }

    private sealed class Life
    {
        public Life(ServerConfiguration configuration, IDisk disk, EmbeddedClusterOptions options, Prng random)
        {
            Host = new RealHost(configuration.Id, disk, random, options.Observe, configuration.NetworkLimits);
            Server = new ServerNode(Host, configuration.ToSettings(), options.Rules?.Invoke() ?? new BrokerRules());
            Running = Host.Loop.RunAsync(Server.RunAsync);
        }

        public RealHost Host { get; }

        public ServerNode Server { get; }

        public Task Running { get; }

        public bool IsReady(IReadOnlyList<NodeId> brokers) => Server.Broker is { } broker
            ? broker.IsServing && brokers.All(id => broker.Image.Broker(id.Value) is { Fenced: false })
            : Server.Quorum is { } quorum && quorum.Leader != NodeId.None;
    }
}
