using Broker.Hosting;
using Broker.Runtime;

namespace Broker.Embedded;

/// <summary>
/// A cluster of the reference broker in this process, reached by any Kafka client over loopback. Its nodes can be stopped, crashed and started again.
/// </summary>
/// <example><code>
/// await using var cluster = await EmbeddedCluster.StartAsync(brokers: 3);
/// var producer = new ProducerBuilder&lt;string, string&gt;(new ProducerConfig { BootstrapServers = cluster.BootstrapServers }).Build();
/// cluster.Crash(1);
/// </code></example>
/// <remarks>Each node has a thread of its own. The members here may be called from any thread, one at a time.</remarks>
public sealed class EmbeddedCluster : IAsyncDisposable, IDisposable
{
    private readonly TaskCompletionSource failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SortedDictionary<int, EmbeddedNode> nodes = [];
    private readonly List<DataFolder> folders = [];
    private readonly List<HeldPort> ports;
    private readonly EmbeddedClusterOptions options;
    private readonly TemporaryFolder? temporary;

    private EmbeddedCluster(IReadOnlyList<ServerConfiguration> planned, EmbeddedClusterOptions options)
    {
        this.options = options;
        (var held, ports) = ClusterPlan.Hold(planned);
        try
        {
            if (options.OnDisk && Array.Exists(held, node => node.LogDirectory is null)) temporary = new TemporaryFolder();
            foreach (var node in held.Select(Placed)) nodes.Add(node.Id.Value, new EmbeddedNode(node, DiskOf(node), options, Fail));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>For <c>bootstrap.servers</c>: all brokers, <c>host:port,…</c></summary>
    public string BootstrapServers => string.Join(',', Bootstrap);

    /// <summary>Where the brokers are reached, by ascending node id.</summary>
    public IReadOnlyList<Endpoint> Bootstrap => [.. nodes.Values.Where(node => node.Configuration.Advertised is not null).Select(node => node.Configuration.Advertised!.Value)];

    /// <summary>The nodes as they were built, running or not, by ascending id.</summary>
    public IReadOnlyList<ServerConfiguration> Nodes => [.. nodes.Values.Select(node => node.Configuration)];

    /// <summary>Completes, with the exception, when a node stops by itself; never because of what is done to it here.</summary>
    public Task Failed => failed.Task;

    /// <summary>Starts brokers 1 to <paramref name="brokers"/> on free ports of 127.0.0.1; returns once all serve and know each other.</summary>
    /// <exception cref="ServerConfigurationException">A setting that cannot be.</exception>
    /// <exception cref="TimeoutException">They did not come up in time.</exception>
    public static Task<EmbeddedCluster> StartAsync(int brokers = 1, EmbeddedClusterOptions? options = null, CancellationToken stop = default)
    {
        options ??= new EmbeddedClusterOptions();
        return StartAsync(ClusterPlan.Of(options.Properties(brokers), new Endpoint("127.0.0.1", 0), brokers, options.Controllers), options, stop);
    }

    /// <summary>Starts the nodes of this process as they are described; others of the same cluster may run elsewhere.</summary>
    /// <param name="options">Topic defaults and settings are those of the nodes' own descriptions, not of these options.</param>
    /// <exception cref="ServerConfigurationException">An address that cannot be had.</exception>
    /// <exception cref="DataFolderException">A folder that cannot be had.</exception>
    /// <exception cref="TimeoutException">They did not come up in time.</exception>
    public static async Task<EmbeddedCluster> StartAsync(IReadOnlyList<ServerConfiguration> planned, EmbeddedClusterOptions options, CancellationToken stop = default)
    {
        var cluster = new EmbeddedCluster(planned, options);
        try
        {
            foreach (var node in cluster.nodes.Values) node.Start();
            await cluster.ReadyAsync(cluster.nodes.Values, stop);
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    public bool IsUp(int node) => Find(node).IsUp;

    /// <summary>Kills a node: nothing is flushed, nobody is told. What it had written is there at its next start, as after the death of a process.</summary>
    public void Crash(int node) => Find(node).End();

    /// <summary>Stops a node in good order: its leaderships go elsewhere first, where there is somebody to take them.</summary>
    public async Task StopAsync(int node)
    {
        await LeaveAsync(Find(node));
        Find(node).End();
    }

    /// <summary>Stops all nodes in good order.</summary>
    public async Task StopAsync()
    {
        var running = nodes.Values.Where(node => node.IsUp).ToArray();
        await Task.WhenAll(running.Select(LeaveAsync));                // all are up until the last has left: leaving needs a quorum
        foreach (var node in running) node.End();
    }

    /// <summary>Starts a node that is down; returns once it serves again.</summary>
    public async Task StartAsync(int node)
    {
        Find(node).Start();
        await ReadyAsync([Find(node)], CancellationToken.None);
    }

    /// <summary>Ends all nodes at once and removes what is not to be kept.</summary>
    public void Dispose()
    {
        foreach (var node in nodes.Values) node.Dispose();
        foreach (var port in ports) port.Dispose();
        foreach (var folder in folders) folder.Dispose();
        temporary?.Dispose();
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private EmbeddedNode Find(int node) =>
        nodes.TryGetValue(node, out var found) ? found : throw new ArgumentOutOfRangeException(nameof(node), node, $"the nodes here are {string.Join(", ", nodes.Keys)}");

    private async Task ReadyAsync(IReadOnlyCollection<EmbeddedNode> started, CancellationToken stop)
    {
        NodeId[] brokers = [.. started.Where(node => node.Configuration.Listener is not null).Select(node => node.Id)];
        var ready = Task.WhenAll(started.Select(node => node.ReadyAsync(brokers)));
        try
        {
            await (await Task.WhenAny(ready, Failed).WaitAsync(options.StartLimit, stop));
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"nodes {string.Join(", ", started.Select(node => node.Id))} did not come up within {options.StartLimit.TotalSeconds:0.#} s: is there a majority of the voters of controller.quorum.voters?");
        }
    }

    private async Task LeaveAsync(EmbeddedNode node)
    {
        var leaving = node.LeaveAsync(options.StopLimit);
        await await Task.WhenAny(leaving, Failed, Task.Delay(options.StopLimit * 2));
    }

    private void Fail(NodeId node, Exception failure) =>
        failed.TrySetException(new InvalidOperationException($"node {node} stopped by itself: {failure.Message}", failure));

    private ServerConfiguration Placed(ServerConfiguration node) =>
        node.LogDirectory is null && temporary is not null ? node with { LogDirectory = Path.Combine(temporary.Path, $"node-{node.Id}") } : node;

    /// <summary>Makes the disk of each life: always the same memory, or the same folder.</summary>
    private Func<IDisk> DiskOf(ServerConfiguration node)
    {
        if (node.LogDirectory is not { } folder)
        {
            var memory = new MemoryDisk();
            return () => memory;
        }
        folders.Add(DataFolder.Take(folder, node.Id));
        return () => new FileDisk(folder);
    }
}
