using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Broker.Runtime;
using Chaos.Faults;
using Chaos.Live;

namespace Chaos.Tests.Live;

/// <summary>Cuts in networks of their own, between sockets of the test itself. Where such networks cannot be made the tests are skipped, and say why.</summary>
public sealed class LiveNetworkTests : IDisposable
{
    private const int SomePort = 7000;
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30), Short = TimeSpan.FromMilliseconds(300);

    private readonly List<Observation> seen = [];
    private readonly LiveNetwork network;
    private readonly LiveCluster cluster;

    public LiveNetworkTests()
    {
        var missing = LiveNetwork.Missing();
        Skip.If(missing is not null, missing);
        network = new LiveNetwork([1, 2, 3]);
        cluster = new LiveCluster(new Sleepers(), brokers: 3, [], eligibleLeaderReplicas: true, seen.Add, network);
        cluster.Start();
    }

    public void Dispose() => cluster?.Dispose();

    [SkippableTheory]
    [InlineData(CutWay.Both, false, false)]
    [InlineData(CutWay.Out, false, true)]
    [InlineData(CutWay.In, true, false)]
    public void A_cut_drops_what_goes_its_way_and_nothing_else_and_proves_it(CutWay way, bool thereGets, bool backGets)
    {
        Cut(NodeGroup.Of(1), NodeGroup.Of(2), way);
        Assert.Equal((thereGets, backGets), (Arrives(1, 2, thereGets), Arrives(2, 1, backGets)));
        Assert.True(Arrives(1, 3, expected: true) && Arrives(LiveNetwork.Clients, 1, expected: true) && Arrives(2, 3, expected: true));
        Heals();
        Assert.True(Arrives(1, 2, expected: true) && Arrives(2, 1, expected: true));
    }

    [SkippableFact]
    public void An_isolated_node_reaches_nobody_and_clients_are_a_side_of_their_own()
    {
        Cut(NodeGroup.Of(2), NodeGroup.None);
        Assert.All([1, 3, LiveNetwork.Clients], place => Assert.False(Arrives(2, place, expected: false) || Arrives(place, 2, expected: false)));
        Assert.True(Arrives(1, 3, expected: true) && Arrives(LiveNetwork.Clients, 3, expected: true));
        Heals();
        Cut(NodeGroup.Of(2), NodeGroup.Of(21, 41));                    // clients, as schedules number them
        Assert.False(Arrives(2, LiveNetwork.Clients, expected: false));
        Assert.True(Arrives(2, 1, expected: true));
        Heals();
    }

    [SkippableTheory]
    [InlineData(CutWay.Both)]
    [InlineData(CutWay.Out)]
    [InlineData(CutWay.In)]
    public async Task A_cut_of_a_port_hits_connections_to_it_and_no_others(CutWay way)
    {
        Cut(NodeGroup.Of(1), NodeGroup.Of(2), way, LiveNetwork.BrokerPort);
        Assert.False(await ConnectsAsync(1, 2, LiveNetwork.BrokerPort, Short) || await ConnectsAsync(2, 1, LiveNetwork.BrokerPort, Short));
        Assert.True(await ConnectsAsync(1, 2, LiveNetwork.ControllerPort, Long) && await ConnectsAsync(3, 2, LiveNetwork.BrokerPort, Long));
        Heals();
        Assert.True(await ConnectsAsync(1, 2, LiveNetwork.BrokerPort, Long));
    }

    [SkippableFact]
    public void A_cut_that_drops_nothing_has_not_bitten_and_one_that_finds_nobody_was_not_done()
    {
        Cut(NodeGroup.Of(1), NodeGroup.Of(2));
        cluster.Watch();
        cluster.Heal(0);
        Assert.Equal([0], cluster.Missed);
        cluster.Inject(1, new Fault.Crash(Trigger.AtMs(0), TimeSpan.FromSeconds(1), NodeRef.Of(1)));
        Cut(NodeGroup.Of(1), NodeGroup.Of(2), index: 2);
        Cut(NodeGroup.Of(2), NodeGroup.Of(2, 11), index: 3);           // itself, and a controller that is no node here
        Assert.Equal([0], cluster.Missed);
        Assert.Equal([1], seen.Where(one => one.Kind == ObservationKind.FaultBit).Select(one => one.Other));
    }

    [SkippableFact]
    public void Namespaces_are_gone_with_the_network_and_the_machine_has_the_interfaces_that_it_had()
    {
        var interfaces = Interfaces();
        var another = new LiveNetwork([1, 2, 3]);
        string[] inside = [.. new[] { 1, 2, 3, LiveNetwork.Clients }.Select(place => another.At(place).Do(static () => NamespaceOf("thread-self")))];
        Assert.DoesNotContain(NamespaceOf("self"), inside);
        Assert.Equal(4, inside.Distinct().Count());
        Assert.Equal(inside, inside.Intersect(EveryNamespace()));      // the count below would see them
        another.Dispose();
        Assert.True(SpinWait.SpinUntil(() => !inside.Intersect(EveryNamespace()).Any(), Long));
        Assert.Equal(interfaces, Interfaces());
    }

    private void Cut(NodeGroup from, NodeGroup to, CutWay way = CutWay.Both, int? port = null, int index = 0) =>
        cluster.Inject(index, new Fault.Partition(Trigger.AtMs(0), TimeSpan.FromSeconds(1), from, to, way, port));

    /// <summary>The cut has bitten, says so once, and is over.</summary>
    private void Heals()
    {
        seen.Clear();
        cluster.Watch();
        cluster.Watch();
        cluster.Heal(0);
        Assert.True(seen.Count(static one => one.Kind == ObservationKind.FaultBit) <= 1);
        Assert.Single(seen, static one => one.Kind == ObservationKind.FaultHealed);
        Assert.Empty(cluster.Missed);
    }

    /// <summary>One packet after another, until one arrives or it has been waited long enough.</summary>
    private bool Arrives(int from, int to, bool expected)
    {
        using var receiver = network.At(to).Do(static () => new UdpClient(new IPEndPoint(IPAddress.Any, SomePort)));
        using var sender = network.At(from).Do(static () => new UdpClient(AddressFamily.InterNetwork));
        var waited = Stopwatch.StartNew();
        while (waited.Elapsed < (expected ? Long : Short))
        {
            sender.Send([1], new IPEndPoint(IPAddress.Parse(LiveNetwork.AddressOf(to)), SomePort));
            if (receiver.Client.Poll(Short / 3, SelectMode.SelectRead)) return true;
        }
        return false;
    }

    private async Task<bool> ConnectsAsync(int from, int to, int port, TimeSpan patience)
    {
        var at = new IPEndPoint(IPAddress.Parse(LiveNetwork.AddressOf(to)), port);
        using var listener = network.At(to).Do(() => new Socket(SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(at);
        listener.Listen();
        using var caller = network.At(from).Do(static () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        using var tooLate = new CancellationTokenSource(patience);
        try
        {
            await caller.ConnectAsync(at, tooLate.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static string NamespaceOf(string process) => new FileInfo($"/proc/{process}/ns/net").LinkTarget ?? "";

    /// <summary>Of every thread of every process.</summary>
    private static HashSet<string> EveryNamespace() =>
        [.. Directory.EnumerateDirectories("/proc").Where(static folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])).SelectMany(Threads).Select(static thread => NamespaceOf(Path.GetRelativePath("/proc", thread)))];

    private static string[] Threads(string process)
    {
        try
        {
            return Directory.GetDirectories(Path.Combine(process, "task"));
        }
        catch (IOException)                                            // it has just ended
        {
            return [];
        }
    }

    private static string[] Interfaces() => [.. System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces().Select(static one => one.Name).Order()];
}
