using System.Globalization;
using System.Text;
using Broker.Core.Quorum;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Quorum;

/// <summary>
/// The file <c>quorum-state</c>: one line <c>epoch votedFor leader crc</c>, numbers in decimal, the CRC-32C of the rest in hexadecimal.
/// Replaced as a whole: written aside, flushed, renamed, the directory flushed.
/// </summary>
internal sealed class QuorumStateFile(IDisk disk, string directory)
{
    private readonly string path = $"{directory}/quorum-state";
    private readonly string aside = $"{directory}/quorum-state.tmp";

    /// <summary>The state last saved; the initial one for a voter that never ran. A damaged file stops the node: without its memory a voter must not vote.</summary>
    public QuorumState Load()
    {
        if (!disk.Exists(path)) return QuorumState.Initial;
        using var file = disk.Open(path);
        var bytes = new byte[file.Length];
        file.Read(0, bytes);
        var words = Encoding.ASCII.GetString(bytes).TrimEnd('\n').Split(' ');
        Invariant.Holds(words.Length == 4);
        Invariant.Holds(words[3] == Checksum(string.Join(' ', words[..3])));
        var numbers = words[..3].Select(word => int.Parse(word, CultureInfo.InvariantCulture)).ToArray();
        return new QuorumState(numbers[0], new NodeId(numbers[1]), new NodeId(numbers[2]));
    }

    /// <summary>Durable once it returns.</summary>
    public async ValueTask SaveAsync(QuorumState state)
    {
        var text = $"{state.Epoch} {state.VotedFor} {state.Leader}";
        using (var file = disk.Open(aside))
        {
            file.Truncate(0);
            file.Write(0, Encoding.ASCII.GetBytes($"{text} {Checksum(text)}\n"));
            await file.FlushAsync();
        }
        disk.Rename(aside, path);
        await disk.FlushDirectoryAsync(directory);
    }

    private static string Checksum(string text) => Crc32C.Compute(Encoding.ASCII.GetBytes(text)).ToString("x8", CultureInfo.InvariantCulture);
}
