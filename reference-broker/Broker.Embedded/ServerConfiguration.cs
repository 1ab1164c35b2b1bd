using Broker.Core.Controller;
using Broker.Core.Metadata;
using Broker.Core.Quorum;
using Broker.Node;
using Broker.Node.Quorum;
using Broker.Node.Serving;
using Broker.Hosting;
using Broker.Runtime;

namespace Broker.Embedded;

/// <summary>A setting that cannot be: the message is one line that names it.</summary>
public sealed class ServerConfigurationException(string message) : Exception(message);

/// <summary>One node as Kafka's settings describe it (<c>process.roles</c>, <c>listeners</c>, <c>controller.quorum.voters</c>, ...).</summary>
/// <remarks>An empty host in a listener is 127.0.0.1: nothing but loopback is bound unless an address is named. Source: Kafka 4.3, broker configuration.</remarks>
public sealed record ServerConfiguration
{
    private const string Plain = "PLAINTEXT", Loopback = "127.0.0.1", Meta = "0.0.0.0";
    private const int DefaultPort = 9092;

    /// <summary>A voter alone waits for nobody, as in Kafka.</summary>
    private static readonly TimeSpan AloneElectionTimeout = TimeSpan.FromMilliseconds(1);

    public required NodeId Id { get; init; }

    /// <summary>Null: this node is no broker.</summary>
    public Endpoint? Listener { get; init; }

    /// <summary>What clients are told.</summary>
    public Endpoint? Advertised { get; init; }

    /// <summary>Null: this node is no controller.</summary>
    public Endpoint? ControllerListener { get; init; }

    public required IReadOnlyList<QuorumVoter> Voters { get; init; }

    /// <summary>log.dirs; null where none was given: the files are in memory then.</summary>
    public string? LogDirectory { get; init; }

    /// <summary>What was given, under Kafka's names.</summary>
    public required ServerProperties Properties { get; init; }

    /// <summary>Reads one node's settings.</summary>
    /// <exception cref="ServerConfigurationException">A name or value that cannot be, or settings that contradict each other.</exception>
    public static ServerConfiguration Of(ServerProperties properties)
    {
        var id = properties.NodeId("node.id", otherwise: 1);
        var voters = properties.Text("controller.quorum.voters") is { } text ? VotersOf(text) : [];
        var own = voters.FirstOrDefault(voter => voter.Id == id);
        var roles = Roles(properties, mayVote: voters.Count == 0 || own.Endpoint != default);
        var listeners = Listeners("listeners", properties.Text("listeners"));
        var controllerName = properties.Text("controller.listener.names")?.Split(',')[0].Trim() ?? "CONTROLLER";
        var brokers = listeners.Where(listener => listener.Name != controllerName).ToArray();
        var controllers = listeners.Where(listener => listener.Name == controllerName).ToArray();
        if (brokers.Length > 1) throw new ServerConfigurationException($"listeners: one listener for clients is served, not {string.Join(", ", brokers.Select(listener => listener.Name))}");
        Demand(!roles.Broker || listeners.Count == 0 || brokers.Length == 1, "listeners: process.roles has broker, but there is no listener for clients");
        var listener = brokers.Length == 1 ? brokers[0].Endpoint : new Endpoint(Loopback, DefaultPort);
        if (voters.Count == 0)
        {
            Demand(roles is { Broker: true, Controller: true }, "controller.quorum.voters is missing: only a node with both roles can be alone");
            voters = [new QuorumVoter(id, controllers.Length == 1 ? controllers[0].Endpoint : new Endpoint(Loopback, 0))];
            own = voters[0];
        }
        Demand(!roles.Controller || own.Endpoint != default, $"controller.quorum.voters: node {id} has the role controller, but is no voter");
        Demand(roles.Controller || own.Endpoint == default, $"controller.quorum.voters: node {id} is a voter, but process.roles has no controller");
        var heard = controllers.Length == 1 ? controllers[0].Endpoint : own.Endpoint;
        Demand(!roles.Controller || heard.Port == own.Endpoint.Port, $"listeners: the controller listens on port {heard.Port}, controller.quorum.voters says {own.Endpoint.Port}");
        return new ServerConfiguration
        {
            Id = id,
            Listener = roles.Broker ? listener : null,
            Advertised = roles.Broker ? AdvertisedOf(properties, listener) : null,
            ControllerListener = roles.Controller ? heard : null,
            Voters = voters,
            LogDirectory = Folder(properties),
            Properties = properties,
        };
    }

    /// <summary>The same in the broker's own terms.</summary>
    public ServerSettings ToSettings()
    {
        var times = Properties.QuorumTimes();
        if (Voters.Count == 1) times = times with { ElectionTimeout = AloneElectionTimeout };
        var broker = Listener is { } listener ? Broker(listener) : null;
        var voter = ControllerListener is null ? null : new QuorumNodeSettings { Id = Id, Voters = Voters, Times = times };
        return new ServerSettings(broker, voter, Voters)
        {
            Controller = Properties.Controller(),
            ControllerListener = ControllerListener,
            TopicDefaults = Properties.TopicDefaults(),
            QuorumTimes = times,
        };
    }

    /// <summary>What the node takes from those that connect to it.</summary>
    public NetworkLimits NetworkLimits => new(
        (int)Properties.Whole("socket.request.max.bytes", NetworkLimits.Default.MaxFrameBytes, 1, int.MaxValue),
        Properties.Duration("connections.max.idle.ms", NetworkLimits.Default.MaxIdle),
        (int)Properties.Whole("max.connections", NetworkLimits.Default.MaxConnections, 1, int.MaxValue),
        (int)Properties.Whole("max.connections.per.ip", NetworkLimits.Default.MaxConnectionsPerIp, 1, int.MaxValue),
        Properties.Whole("queued.max.request.bytes", NetworkLimits.Default.MaxRequestBytes, -1, long.MaxValue));

    private BrokerSettings Broker(Endpoint listener)
    {
        var defaults = new BrokerSettings { Id = Id, Endpoint = listener, Controllers = [] };
        return defaults with
        {
            Advertised = Advertised,
            Controllers = [.. Voters.Select(voter => voter.Endpoint)],
            AutoCreateTopics = Properties.Boolean("auto.create.topics.enable", true),
            HeartbeatInterval = Properties.Duration("broker.heartbeat.interval.ms", defaults.HeartbeatInterval),
            ReplicaLagTimeMax = Properties.Duration("replica.lag.time.max.ms", defaults.ReplicaLagTimeMax),
            ReplicaFetchWaitMax = Properties.Duration("replica.fetch.wait.max.ms", defaults.ReplicaFetchWaitMax),
            Backoff = Properties.Duration("replica.fetch.backoff.ms", defaults.Backoff),
            RequestTimeout = Properties.Duration("replica.socket.timeout.ms", defaults.RequestTimeout),
            HeartbeatTimeout = Properties.Duration("broker.session.timeout.ms", new ControllerSettings().SessionTimeout) / 2,
            ReplicaFetchMaxBytes = (int)Properties.Whole("replica.fetch.max.bytes", defaults.ReplicaFetchMaxBytes, 1, int.MaxValue),
            CleanerBackoff = Properties.Duration("log.cleaner.backoff.ms", defaults.CleanerBackoff),
            RetentionCheckInterval = Properties.Duration("log.retention.check.interval.ms", defaults.RetentionCheckInterval),
            FetchSessionSlots = (int)Properties.Whole("max.incremental.fetch.session.cache.slots", defaults.FetchSessionSlots, 0, int.MaxValue),
            Groups = Properties.Groups(),
            Configured = Properties.With(Told(listener)).Values,
        };
    }

    /// <summary>What was derived where nothing was given, and what the system chose where port 0 was.</summary>
    private IEnumerable<KeyValuePair<string, string>> Told(Endpoint listener)
    {
        yield return new("node.id", $"{Id}");
        yield return new("advertised.listeners", $"{Plain}://{Advertised ?? listener}");
        if (Properties.Text("listeners") is null) yield return new("listeners", $"{Plain}://{listener}");
    }

    /// <summary>Without process.roles a node is a broker, and a controller where it has a vote.</summary>
    private static (bool Broker, bool Controller) Roles(ServerProperties properties, bool mayVote)
    {
        if (properties.Text("process.roles") is not { } text) return (true, mayVote);
        var words = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (var word in words) Demand(word is "broker" or "controller", $"process.roles: '{word}' is not one of broker, controller");
        Demand(words.Length > 0, "process.roles is empty: expected broker, controller or both");
        return (words.Contains("broker"), words.Contains("controller"));
    }

    private static Endpoint AdvertisedOf(ServerProperties properties, Endpoint listener)
    {
        var told = Listeners("advertised.listeners", properties.Text("advertised.listeners"));
        var endpoint = told.Count > 0 ? told[0].Endpoint : listener;
        Demand(endpoint.Host is not (Meta or "::"), $"advertised.listeners: clients cannot reach {endpoint.Host}; name the address that they shall use");
        return endpoint;
    }

    internal static string? Folder(ServerProperties properties)
    {
        var (name, text) = properties.Text("log.dirs") is { } several ? ("log.dirs", several) : ("log.dir", properties.Text("log.dir"));
        Demand(text is null || !text.Contains(','), $"{name}: one folder is used, not several");
        Demand(text is null || text.Trim().Length > 0, $"{name} is empty");
        return text?.Trim();
    }

    /// <summary><c>NAME://host:port,…</c></summary>
    private static List<(string Name, Endpoint Endpoint)> Listeners(string setting, string? text)
    {
        var listeners = new List<(string Name, Endpoint Endpoint)>();
        foreach (var word in (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var cut = word.IndexOf("://", StringComparison.Ordinal);
            Demand(cut > 0, $"{setting}: '{word}' is not of the form {Plain}://host:port");
            Demand(word[..cut] is not ("SSL" or "SASL_PLAINTEXT" or "SASL_SSL"), $"{setting}: '{word}': this broker speaks {Plain} only");
            listeners.Add((word[..cut], Address(setting, word, word[(cut + 3)..])));
        }
        return listeners;
    }

    /// <summary><c>id@host:port,…</c></summary>
    private static List<QuorumVoter> VotersOf(string text)
    {
        const string setting = "controller.quorum.voters";
        var voters = new List<QuorumVoter>();
        foreach (var word in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var cut = word.IndexOf('@', StringComparison.Ordinal);
            Demand(cut > 0, $"{setting}: '{word}' is not of the form id@host:port");
            var id = ServerProperties.ParseNodeId(setting, word[..cut]);
            Demand(!voters.Exists(voter => voter.Id == id), $"{setting}: node {id} is named twice");
            var endpoint = Address(setting, word, word[(cut + 1)..]);
            Demand(endpoint.Port > 0, $"{setting}: '{word}': a voter needs a port of its own");
            voters.Add(new QuorumVoter(id, endpoint));
        }
        Demand(voters.Count > 0, $"{setting} names no voter");
        return voters;
    }

    private static Endpoint Address(string setting, string word, string address)
    {
        var colon = address.LastIndexOf(':');
        Demand(colon >= 0, $"{setting}: '{word}' has no port");
        Demand(int.TryParse(address[(colon + 1)..], out var port) && port is >= 0 and <= 65535, $"{setting}: '{word}': '{address[(colon + 1)..]}' is not a port");
        var host = address[..colon].Trim('[', ']');
        return new Endpoint(host.Length == 0 ? Loopback : host, port);
    }

    private static void Demand(bool holds, string otherwise)
    {
        if (!holds) throw new ServerConfigurationException(otherwise);
    }
}
