using System.Globalization;
using System.Text;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Log;

/// <summary>The file <c>log-start-offset</c> of a log whose records were deleted: one line <c>offset crc</c>, the CRC-32C of the offset's digits in hexadecimal. Replaced as a whole.</summary>
internal sealed class StartOffsetFile(IDisk disk, string directory)
{
    private const string Name = "log-start-offset", Aside = "log-start-offset.tmp";

    /// <summary>The offset last saved, 0 where none ever was. A damaged file stops the node: records that were deleted would be back.</summary>
    public long Load(IReadOnlyList<string> names)
    {
        if (!names.Contains(Name)) return 0;
        using var file = disk.Open($"{directory}/{Name}");
        var bytes = new byte[file.Length];
        file.Read(0, bytes);
        var words = Encoding.ASCII.GetString(bytes).TrimEnd('\n').Split(' ');
        Invariant.Holds(words.Length == 2);
        Invariant.Holds(words[1] == Checksum(words[0]));
        return long.Parse(words[0], CultureInfo.InvariantCulture);
    }

    /// <summary>Durable once it returns. One at a time.</summary>
    public async Task SaveAsync(long offset)
    {
        var text = offset.ToString(CultureInfo.InvariantCulture);
        using (var file = disk.Open($"{directory}/{Aside}"))
        {
            file.Truncate(0);
            file.Write(0, Encoding.ASCII.GetBytes($"{text} {Checksum(text)}\n"));
            await file.FlushAsync();
        }
        if (!disk.Exists($"{directory}/{Aside}")) return;              // the topic was deleted meanwhile
        disk.Rename($"{directory}/{Aside}", $"{directory}/{Name}");
        await disk.FlushDirectoryAsync(directory);
    }

    public void Delete()
    {
        foreach (var name in new[] { Name, Aside })
            if (disk.Exists($"{directory}/{name}")) disk.Delete($"{directory}/{name}");
    }

    private static string Checksum(string text) => Crc32C.Compute(Encoding.ASCII.GetBytes(text)).ToString("x8", CultureInfo.InvariantCulture);
}
