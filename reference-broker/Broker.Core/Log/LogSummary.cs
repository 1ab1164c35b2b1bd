using System.Buffers.Binary;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Log;

/// <summary>The file <c>summary</c> of a log whose node stopped in good order: what a scan of the log would find. Numbers of eight bytes, the stop's first, and the CRC-32C of them all behind them.</summary>
/// <remarks>It is believed only by a start that found the marker of the very same stop, so nothing can have been written since.</remarks>
internal sealed class LogSummary(IDisk disk, string directory)
{
    private const string Name = "summary";

    /// <summary>Durable once it returns.</summary>
    public async Task SaveAsync(long stop, IReadOnlyList<long> numbers)
    {
        var bytes = new byte[(numbers.Count + 1) * sizeof(long) + sizeof(uint)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, stop);
        for (var i = 0; i < numbers.Count; i++) BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan((i + 1) * sizeof(long)), numbers[i]);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(bytes.Length - sizeof(uint)), Crc32C.Compute(bytes.AsSpan(0, bytes.Length - sizeof(uint))));
        using (var file = disk.Open($"{directory}/{Name}"))
        {
            file.Truncate(0);
            file.Write(0, bytes);
            await file.FlushAsync();
        }
        await disk.FlushDirectoryAsync(directory);
    }

    /// <summary>What was saved at that stop; null where nothing was, or where it is damaged.</summary>
    public Queue<long>? Load(long stop)
    {
        if (!disk.Exists($"{directory}/{Name}")) return null;
        using var file = disk.Open($"{directory}/{Name}");
        var bytes = new byte[file.Length];
        if (file.Read(0, bytes) != bytes.Length || bytes.Length < sizeof(long) + sizeof(uint) || bytes.Length % sizeof(long) != sizeof(uint)) return null;
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(bytes.Length - sizeof(uint))) != Crc32C.Compute(bytes.AsSpan(0, bytes.Length - sizeof(uint)))) return null;
        if (BinaryPrimitives.ReadInt64LittleEndian(bytes) != stop) return null;
        var numbers = new Queue<long>();
        for (var at = sizeof(long); at < bytes.Length - sizeof(uint); at += sizeof(long)) numbers.Enqueue(BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at)));
        return numbers;
    }

    public void Delete()
    {
        if (disk.Exists($"{directory}/{Name}")) disk.Delete($"{directory}/{Name}");
    }
}
