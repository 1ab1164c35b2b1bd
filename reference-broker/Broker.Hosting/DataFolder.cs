using System.Globalization;
using Broker.Runtime;

namespace Broker.Hosting;

/// <summary>The folder of one node: made when it is absent, locked against a second process, and marked as this node's.</summary>
/// <remarks>The names of the lock and of the mark, <c>.lock</c> and <c>meta.properties</c>, are Kafka's.</remarks>
public sealed class DataFolder : IDisposable
{
    private readonly FileStream held;

    private DataFolder(string path, FileStream held)
    {
        Path = path;
        this.held = held;
    }

    public string Path { get; }

    /// <summary>Where one of several nodes keeps its data under a folder that they share; a single node has the folder to itself.</summary>
    public static string OfNode(string folder, int node) => System.IO.Path.Combine(folder, $"node-{node}");

    /// <summary>How many nodes have kept their data under a folder that they share.</summary>
    public static int NodesIn(string folder) => Directory.Exists(folder) ? Directory.GetDirectories(folder, "node-*").Length : 0;

    /// <exception cref="DataFolderException">It cannot be written, another process has it, or it is another node's.</exception>
    public static DataFolder Take(string path, NodeId node)
    {
        FileStream held;
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new DataFolderException($"cannot make the folder '{path}': {refused.Message}");
        }
        try
        {
            held = new FileStream(System.IO.Path.Combine(path, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException)
        {
            throw new DataFolderException($"the folder '{path}' cannot be written");
        }
        catch (IOException refused)
        {
            throw new DataFolderException(Directory.Exists(path) && File.Exists(System.IO.Path.Combine(path, ".lock")) ? $"the folder '{path}' is in use by another broker" : $"the folder '{path}' cannot be written: {refused.Message}");
        }
        try
        {
            Mark(path, node);
            return new DataFolder(path, held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    public void Dispose() => held.Dispose();

    private static void Mark(string path, NodeId node)
    {
        var mark = System.IO.Path.Combine(path, "meta.properties");
        if (!File.Exists(mark))
        {
            File.WriteAllText(mark, string.Create(CultureInfo.InvariantCulture, $"version=1\ncluster.id=mqverify\nnode.id={node.Value}\n"));
            return;
        }
        var owner = File.ReadLines(mark).FirstOrDefault(line => line.StartsWith("node.id=", StringComparison.Ordinal))?["node.id=".Length..].Trim();
        if (owner != node.ToString()) throw new DataFolderException($"the folder '{path}' belongs to node {owner ?? "?"}, not to node {node}");
    }
}

/// <summary>A data folder that this node cannot have; the message is one line that names it.</summary>
public sealed class DataFolderException(string message) : IOException(message);

/// <summary>A folder that goes, with all that is in it, when it is disposed of.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("mqverify-broker-").FullName;

    public void Dispose()
    {
        if (Directory.Exists(Path)) Directory.Delete(Path, recursive: true);
    }
}
