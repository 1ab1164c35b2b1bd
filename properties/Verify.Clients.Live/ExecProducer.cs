using System.Text;
using System.Text.Json.Nodes;
using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients.Live;

/// <summary>Somebody else's producer.</summary>
/// <param name="limit">After so long a send has no outcome: it may have happened.</param>
/// <param name="isIdempotent">What it sends twice is not written twice.</param>
internal sealed class ExecProducer(IHost host, ClientProcess process, TimeSpan limit, bool isIdempotent) : IProducer
{
    /// <summary>retry.backoff.ms, less a fifth: what was answered sooner was not sent again. Nobody tells how often another's client sends.</summary>
    private static readonly TimeSpan SoonestRetry = TimeSpan.FromMilliseconds(ExecClients.RetryBackoffMs * 0.8);

    private readonly HashSet<Task> pending = [];

    public async Task<SendOutcome> SendAsync(TopicPartition partition, byte[]? key, byte[]? value, params RecordHeader[] headers)
    {
        if (headers.Length > 0) throw new NotSupportedException("clients as processes send no headers");
        var sending = SendAsync(partition, key, value);
        pending.Add(sending);
        var outcome = await sending;
        pending.Remove(sending);
        return outcome;
    }

    public async Task CloseAsync()
    {
        await Task.WhenAll(pending);
        await process.CloseAsync();
    }

    private async Task<SendOutcome> SendAsync(TopicPartition partition, byte[]? key, byte[]? value)
    {
        var began = host.Time.GetTimestamp();
        var request = new JsonObject { ["topic"] = partition.Topic, ["partition"] = partition.Partition, ["key"] = TextOf(key), ["value"] = TextOf(value) };
        if (await process.AskAsync("send", request, limit) is not { } answer) return new SendOutcome(OutcomeKind.Info, ErrorCode.RequestTimedOut, -1, 2);
        var attempts = isIdempotent || host.Time.GetElapsedTime(began) < SoonestRetry ? 1 : 2;
        var offset = answer.TryGetProperty("offset", out var told) ? told.GetInt64() : -1;
        return new SendOutcome(ClientProcess.KindOf(answer), ClientProcess.ErrorOf(answer), offset, attempts);
    }

    private static string? TextOf(byte[]? bytes) => bytes is null ? null : Encoding.UTF8.GetString(bytes);
}
