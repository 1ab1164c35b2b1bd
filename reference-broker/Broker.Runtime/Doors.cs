namespace Broker.Runtime;

/// <summary>
/// The four doors through which broker and client code reach the world, and one window through which they are watched.
/// Two hosts implement them: the real one (Broker.Hosting) and the simulated one (Chaos.Simulation).
/// </summary>
public interface IHost
{
    /// <summary>Who this node is; unique in its world.</summary>
    NodeId Id { get; }

    /// <summary>Timers follow the monotonic clock; <see cref="TimeProvider.GetUtcNow"/> is the wall clock, which may jump.</summary>
    TimeProvider Time { get; }

    INetwork Network { get; }

    IDisk Disk { get; }

    Prng Random { get; }

    /// <summary>The window: what the node just did. Must not change what happens next.</summary>
    void Observe(in Observation observation);
}

/// <summary>An address: a host name or IP, and a port.</summary>
public readonly record struct Endpoint(string Host, int Port)
{
    public override string ToString() => $"{Host}:{Port}";
}

/// <summary>Connections of whole frames. A frame is one Kafka request or response without its four-byte length.</summary>
public interface INetwork
{
    IListener Listen(Endpoint endpoint);

    /// <summary>Null when refused, unreachable, or not answered within <paramref name="timeout"/>.</summary>
    ValueTask<IConnection?> ConnectAsync(Endpoint endpoint, TimeSpan timeout);

    /// <summary>Bytes of answers, to all callers together, that may wait to be sent before memory is short: whoever can answer with less then does.</summary>
    long AnswerRoom => long.MaxValue;
}

public interface IListener : IDisposable
{
    /// <summary>The next connection, or null once the listener is closed.</summary>
    ValueTask<IConnection?> AcceptAsync();
}

/// <summary>
/// A byte stream cut into frames. Within one connection frames keep their order and are never duplicated; when it dies,
/// any prefix of what was in flight may still arrive, arbitrarily late.
/// </summary>
public interface IConnection
{
    Endpoint Remote { get; }

    /// <summary>Queues a frame, which nobody may change afterwards. False when this end knows the connection to be closed; true promises nothing.</summary>
    bool Send(byte[] frame);

    /// <summary>
    /// Completes when what was queued is on its way, or the connection closed: whoever serves a peer waits for it before serving on, so that one that does not read costs one answer, and not memory without bound.
    /// </summary>
    ValueTask SentAsync() => ValueTask.CompletedTask;

    /// <summary>The next frame, or null once the connection is closed. One reader at a time.</summary>
    ValueTask<byte[]?> ReceiveAsync();

    void Close();
}

/// <summary>
/// A disk with a page cache. Reads and writes go through the cache and return at once; only what was flushed survives a
/// power loss, and a new, renamed or deleted name survives only once its directory was flushed.
/// </summary>
/// <remarks>Every call may throw <see cref="DiskException"/>: the disk is then dead to this node, which must stop.</remarks>
public interface IDisk
{
    /// <summary>Another one than before means that unflushed writes may be gone: the machine's boot id, not the process's.</summary>
    string CacheIdentity { get; }

    bool Exists(string path);

    /// <summary>Opens for reading and writing, creating the file when absent.</summary>
    IFile Open(string path);

    /// <summary>The names of the files directly in a directory, in ordinal order; empty when there is none.</summary>
    IReadOnlyList<string> List(string directory);

    void Delete(string path);

    /// <summary>Replaces the target, atomically as far as the page cache goes.</summary>
    void Rename(string from, string to);

    /// <summary>Makes creations, renames and deletions in a directory durable.</summary>
    ValueTask FlushDirectoryAsync(string directory);
}

public interface IFile : IDisposable
{
    long Length { get; }

    /// <summary>Bytes read, fewer than asked for only at the end of the file.</summary>
    int Read(long position, Span<byte> into);

    void Write(long position, ReadOnlySpan<byte> bytes);

    void Truncate(long length);

    /// <summary>fsync: returns once everything written before the call is durable.</summary>
    ValueTask FlushAsync();
}

/// <summary>The disk failed (EIO, full). Data written since the last successful flush may be gone for ever; never retry the flush.</summary>
/// <param name="isFull">It only took nothing more (ENOSPC, EDQUOT): what was written before is as safe as ever.</param>
public sealed class DiskException(string message, bool isFull = false) : IOException(message)
{
    public bool IsFull => isFull;
}
