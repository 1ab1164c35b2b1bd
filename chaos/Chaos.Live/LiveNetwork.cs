using System.Globalization;
using System.Text.RegularExpressions;

namespace Chaos.Live;

/// <summary>
/// A network for one cluster: each node in a namespace of its own with an address of its own, the clients in another, all on one bridge in a namespace where nobody lives. There packets are dropped by pairs of addresses, as a switch
/// would: no end sees more than silence. The machine's own interfaces and rules are not there, so nothing can be done to them.
/// </summary>
public sealed partial class LiveNetwork : IDisposable
{
    public const int BrokerPort = 9092, ControllerPort = 9093;

    /// <summary>All clients are one place.</summary>
    public const int Clients = 100;

    private readonly Namespace middle = new("bridge");
    private readonly SortedDictionary<int, Namespace> places = [];

    /// <param name="nodes">Numbers below <see cref="Clients"/>.</param>
    /// <exception cref="LiveException">Something that it needs is not here; the message names it.</exception>
    public LiveNetwork(IEnumerable<int> nodes)
    {
        try
        {
            Ip(middle, "link add br0 type bridge\nlink set br0 up\n");
            foreach (var place in nodes.Append(Clients)) Join(place);
            Nft("table bridge probe {\n}\ndelete table bridge probe\n");
        }
        catch (LiveException)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What such a network needs and this machine lacks, in one line; null: nothing.</summary>
    public static string? Missing()
    {
        try
        {
            using var tried = new LiveNetwork([]);
            return null;
        }
        catch (LiveException lacking)
        {
            return lacking.Message;
        }
    }

    public static string AddressOf(int place) => string.Create(CultureInfo.InvariantCulture, $"10.77.0.{place}");

    internal Namespace At(int place) => places[place];

    /// <summary>Takes the calling thread to the clients for good.</summary>
    public void EnterAsClient() => places[Clients].Enter();

    /// <summary>From now on nothing passes that goes from one to the other.</summary>
    /// <param name="cut">Names the cut.</param>
    /// <param name="port">Only of connections to this port, their answers too; null: whatever it is.</param>
    public void Cut(int cut, IReadOnlyCollection<(int From, int To)> pairs, int? port)
    {
        var between = $"ip saddr . ip daddr {{ {string.Join(", ", pairs.Select(static pair => $"{AddressOf(pair.From)} . {AddressOf(pair.To)}"))} }}";
        string[] rules = port is null ? [between] : [$"{between} tcp dport {port}", $"{between} tcp sport {port}"];
        Nft($"table bridge cut{cut} {{\nchain drops {{\ntype filter hook forward priority 0\n{string.Join('\n', rules.Select(static rule => $"{rule} counter drop"))}\n}}\n}}\n");
    }

    /// <summary>Packets that the cut has dropped.</summary>
    public long Dropped(int cut) => Counter().Matches(Nft($"list table bridge cut{cut}\n")).Sum(static packets => long.Parse(packets.Groups[1].Value, CultureInfo.InvariantCulture));

    public void Mend(int cut) => Nft($"delete table bridge cut{cut}\n");

    public void Dispose()
    {
        foreach (var place in places.Values) place.Dispose();
        middle.Dispose();
    }

    private void Join(int place)
    {
        var (own, port) = (new Namespace($"place {place}"), $"port{place}");
        places.Add(place, own);
        Ip(own, $"link set lo up\nlink add eth0 type veth peer name {port} netns {middle}\naddr add {AddressOf(place)}/24 dev eth0\nlink set eth0 up\n");
        Ip(middle, $"link set {port} master br0\nlink set {port} up\n");
    }

    private string Nft(string script) => middle.Run("nft", "nftables", ["-f", "-"], script);

    private static void Ip(Namespace where, string script) => where.Run("ip", "iproute2", ["-batch", "-"], script);

    [GeneratedRegex(@"counter packets (\d+)")]
    private static partial Regex Counter();
}
