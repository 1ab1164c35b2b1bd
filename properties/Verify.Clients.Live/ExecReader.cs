using System.Text.Json.Nodes;
using Broker.Runtime;

namespace Verify.Clients.Live;

/// <summary>Somebody else's consumer of partitions that it is assigned.</summary>
internal sealed class ExecReader(TaskScope scope, ClientProcess process) : ILogReader
{
    public void Assign(IReadOnlyList<TopicPartition> partitions) => Tell("assign", new() { ["partitions"] = Wire.Of(partitions) });

    public void Resume(TopicPartition partition, long offset, int epoch) => Tell("seek", new() { ["offsets"] = Wire.Of([KeyValuePair.Create(partition, offset)]) });

    public async Task<PollResult> PollAsync(TimeSpan timeout)
    {
        var answer = await process.DemandAsync("poll", new() { ["timeoutMs"] = (long)timeout.TotalMilliseconds }, timeout + ExecClients.Patience);
        return answer is { } told ? Wire.PollResultOf(told) : new PollResult([], [], []);
    }

    public void Close() => scope.Start(process.CloseAsync);

    /// <summary>Requests are carried out in their order, so nobody has to wait before the next.</summary>
    private void Tell(string function, JsonObject request) => scope.Start(async () => await process.DemandAsync(function, request, ExecClients.Patience));
}
