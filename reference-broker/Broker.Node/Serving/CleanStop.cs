using System.Buffers.Binary;
using Broker.Core.Log;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>The file <c>clean-stop</c>: this node stopped in good order, and what its logs saved at that stop is what they hold. Eight bytes that name the stop, and their CRC-32C.</summary>
public sealed class CleanStop(IHost host, string logDirectory, LogRules rules)
{
    private readonly string path = $"{logDirectory}/clean-stop";

    /// <summary>The stop that this node comes from; 0 where it did not stop in good order. The marker is gone for good when it returns: the next start must not believe it.</summary>
    public async ValueTask<long> TakeAsync()
    {
        if (!host.Disk.Exists(path)) return 0;
        var stop = 0L;
        foreach (var step in rules.MarkerSteps())
        {
            switch (step)
            {
                case MarkerStep.Read: stop = Read(); break;
                case MarkerStep.Remove: host.Disk.Delete(path); break;
                case MarkerStep.SyncDirectory: await host.Disk.FlushDirectoryAsync(logDirectory); break;
                default: throw new InvalidOperationException($"unknown step {step}");
            }
        }
        return stop;
    }

    /// <summary>A name for the stop that is about to be; never 0.</summary>
    public long Next() => (long)(host.Random.Split(0x73746f70).NextUInt64() | 1);

    /// <summary>Everything is flushed and saved; durable once it returns.</summary>
    public async Task LeaveAsync(long stop)
    {
        var bytes = new byte[sizeof(long) + sizeof(uint)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, stop);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(sizeof(long)), Crc32C.Compute(bytes.AsSpan(0, sizeof(long))));
        using var file = host.Disk.Open(path);
        file.Truncate(0);
        file.Write(0, bytes);
        await file.FlushAsync();
        await host.Disk.FlushDirectoryAsync(logDirectory);
    }

    private long Read()
    {
        using var file = host.Disk.Open(path);
        var bytes = new byte[sizeof(long) + sizeof(uint)];
        var isWhole = file.Read(0, bytes) == bytes.Length && BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(sizeof(long))) == Crc32C.Compute(bytes.AsSpan(0, sizeof(long)));
        return isWhole ? BinaryPrimitives.ReadInt64LittleEndian(bytes) : 0;
    }
}
