using System.Net.Sockets;
using Broker.Hosting;
using Broker.Runtime;

namespace Broker.Tests.Hosting;

/// <summary>What a node keeps for itself: its ports and its folder.</summary>
public sealed class HoldingTests
{
    private static readonly Endpoint AnyPort = new("127.0.0.1", 0);

    [Fact]
    public void A_port_has_one_listener()
    {
        using var first = new SocketListener(AnyPort);
        var refused = Assert.Throws<SocketException>(() => new SocketListener(first.Local));
        Assert.Equal(SocketError.AddressAlreadyInUse, refused.SocketErrorCode);
        Assert.Throws<SocketException>(() => HeldPort.Take(first.Local));
    }

    [SkippableFact]
    public void A_held_port_is_its_holders_alone_and_refuses_callers_until_somebody_listens()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no second binding: a port is only found free there");
        using var held = HeldPort.Take(AnyPort);
        using var caller = new Socket(SocketType.Stream, ProtocolType.Tcp);
        Assert.Throws<SocketException>(() => caller.Connect(held.Endpoint.Host, held.Endpoint.Port));
        for (var i = 0; i < 200; i++)
        {
            using var other = HeldPort.Take(AnyPort);
            Assert.NotEqual(held.Endpoint.Port, other.Endpoint.Port);
        }
        using var listener = new SocketListener(held.Endpoint);
        using var next = new Socket(SocketType.Stream, ProtocolType.Tcp);
        next.Connect(held.Endpoint.Host, held.Endpoint.Port);
        Assert.True(next.Connected);
    }

    [Fact]
    public void A_folder_has_one_process_and_one_node()
    {
        using var temporary = new TemporaryFolder();
        var path = Path.Combine(temporary.Path, "data");
        using (DataFolder.Take(path, new NodeId(1)))
            Assert.Contains("in use by another broker", Assert.Throws<DataFolderException>(() => DataFolder.Take(path, new NodeId(1))).Message, StringComparison.Ordinal);
        using (DataFolder.Take(path, new NodeId(1)))
        {
        }
        Assert.Equal($"the folder '{path}' belongs to node 1, not to node 2", Assert.Throws<DataFolderException>(() => DataFolder.Take(path, new NodeId(2))).Message);
        using (DataFolder.Take(path, new NodeId(1)))
        {
        }
    }

    [Fact]
    public void What_cannot_be_a_folder_is_named()
    {
        using var temporary = new TemporaryFolder();
        var file = Path.Combine(temporary.Path, "file");
        File.WriteAllText(file, "");
        Assert.Contains($"cannot make the folder '{file}'", Assert.Throws<DataFolderException>(() => DataFolder.Take(file, new NodeId(1))).Message, StringComparison.Ordinal);
        Assert.Contains("cannot make the folder", Assert.Throws<DataFolderException>(() => DataFolder.Take(Path.Combine(file, "below"), new NodeId(1))).Message, StringComparison.Ordinal);
    }
}
