using Broker.Runtime;

namespace Chaos.Live;

/// <summary>A broker that runs as processes: how its nodes are made ready and started.</summary>
public interface ILiveSystem
{
    /// <summary>As <c>--system</c> names it.</summary>
    string Name { get; }

    /// <summary>What it is, with its version: for reports.</summary>
    string Version { get; }

    /// <summary>Writes what a node needs before its first start into its folder.</summary>
    /// <exception cref="LiveException">The system's own tools refused.</exception>
    void Prepare(LiveNodePlan node);

    /// <summary>Program and arguments that run the node in the foreground, as one process, until it is told to end.</summary>
    IReadOnlyList<string> CommandOf(LiveNodePlan node);

    /// <summary>Environment variables of that process.</summary>
    IReadOnlyDictionary<string, string> Environment { get; }
}

/// <summary>One node of a cluster of combined nodes: broker and voter in one process.</summary>
/// <param name="Folder">Its own.</param>
/// <param name="Settings">Of the server, under Kafka's names: identity, listeners, voters, folders and what the configuration asks for.</param>
/// <param name="EligibleLeaderReplicas">The feature level that the cluster is to begin with (KIP-966).</param>
public sealed record LiveNodePlan(NodeId Id, string Folder, Endpoint Endpoint, IReadOnlyList<KeyValuePair<string, string>> Settings, bool EligibleLeaderReplicas)
{
    public string PropertiesFile => Path.Combine(Folder, "server.properties");

    public void WriteProperties()
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllLines(PropertiesFile, Settings.Select(static setting => $"{setting.Key}={setting.Value}"));
    }
}

/// <summary>A live cluster could not be made, started or hurt; the message says why, in one line.</summary>
public sealed class LiveException(string message) : Exception(message);
