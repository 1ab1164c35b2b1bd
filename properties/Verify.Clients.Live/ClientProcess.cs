using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Protocol;
using Broker.Runtime;
using Chaos.Live;

namespace Verify.Clients.Live;

/// <summary>One client in a process of its own, which is told what to do, and tells what came of it, in lines of JSON.</summary>
/// <remarks>Used on one loop. A client that ends by itself, or says what is no line of the protocol, is an error of the client and ends the run.</remarks>
internal sealed class ClientProcess : IDisposable
{
    /// <summary>A client that takes longer to open or to close on a busy machine is stuck.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Dictionary<long, TaskCompletionSource<JsonElement?>> waiting = [];
    private readonly IHost host;
    private readonly string name, said;
    private readonly LiveProcess process;
    private readonly StreamWriter input;
    private readonly StreamReader output;
    private Task written = Task.CompletedTask;
    private long lastId;
    private bool mayEnd, isDisposed;

    /// <param name="folder">Its own.</param>
    /// <param name="scope">Hears when it ends by itself.</param>
    /// <param name="heard">Gets what it tells without being asked.</param>
    public ClientProcess(IHost host, TaskScope scope, ClientProgram program, string name, string folder, Action<JsonElement>? heard = null)
    {
        (this.host, this.name, said) = (host, name, Path.Combine(folder, "said.log"));
        Directory.CreateDirectory(folder);
        process = new LiveProcess(program.Words, program.Environment, folder, said, isTalkedTo: true);
        (input, output) = (process.Input, process.Output);
        scope.Start(() => ListenAsync(heard));
    }

    /// <summary>Its process ended, or was ended.</summary>
    public bool IsOver { get; private set; }

    /// <exception cref="LiveException">It refuses, or does not answer.</exception>
    public async Task OpenAsync(string role, IEnumerable<KeyValuePair<string, string>> settings)
    {
        var answer = await DemandAsync("open", new() { ["role"] = role, ["settings"] = new JsonObject(settings.Select(static one => KeyValuePair.Create<string, JsonNode?>(one.Key, one.Value))) }, Patience);
        if (answer is { } told && KindOf(told) != OutcomeKind.Ok) throw new LiveException($"client {name} cannot be opened: {TextOf(told, "error")}");
    }

    /// <summary>What it answers; null: nothing in time, or it is over.</summary>
    public async Task<JsonElement?> AskAsync(string function, JsonObject request, TimeSpan limit)
    {
        if (IsOver) return null;
        var (id, answer) = (++lastId, new TaskCompletionSource<JsonElement?>());
        waiting.Add(id, answer);
        request.Insert(0, "id", id);
        request.Insert(1, "f", function);
        written = WriteAsync(written, request.ToJsonString());
        try
        {
            return await answer.Task.WaitAsync(limit, host.Time);
        }
        catch (TimeoutException)
        {
            waiting.Remove(id);
            return null;
        }
    }

    /// <summary>What it answers; null only when it is over.</summary>
    /// <exception cref="LiveException">It does not answer.</exception>
    public async Task<JsonElement?> DemandAsync(string function, JsonObject request, TimeSpan limit) =>
        await AskAsync(function, request, limit) is { } answer ? answer : IsOver ? null : throw new LiveException($"client {name} did not answer '{function}' in {limit.TotalSeconds} s{LastWords}");

    /// <summary>Lets it end in good order.</summary>
    public async Task CloseAsync()
    {
        mayEnd = true;
        await AskAsync("close", [], Patience);
        Dispose();
    }

    /// <summary>Kills it: nothing that it says from here on is heard.</summary>
    public void Dispose()
    {
        if (isDisposed) return;
        mayEnd = isDisposed = true;
        End();
        process.Dispose();
    }

    /// <summary>What an answer says of the request; what says nothing that is known may have happened.</summary>
    public static OutcomeKind KindOf(JsonElement answer) => TextOf(answer, "type") switch { "ok" => OutcomeKind.Ok, "fail" => OutcomeKind.Fail, _ => OutcomeKind.Info };

    /// <summary>The client's own word for an error, as near as Kafka's table of errors comes to it.</summary>
    public static ErrorCode ErrorOf(JsonElement answer) => KindOf(answer) == OutcomeKind.Ok ? ErrorCode.None
        : Enum.TryParse<ErrorCode>(TextOf(answer, "error").Split(':', ' ')[0].Replace("Exception", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal), ignoreCase: true, out var code) && code != ErrorCode.None ? code
        : ErrorCode.UnknownServerError;

    public static string TextOf(JsonElement line, string field) => line.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private string LastWords => File.Exists(said) && string.Join(" | ", File.ReadLines(said).TakeLast(3)) is { Length: > 0 } words ? $": {words}" : "";

    private async Task WriteAsync(Task before, string line)
    {
        await before;
        try
        {
            await input.WriteLineAsync(line);
            await input.FlushAsync();
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException)
        {
            // Nobody reads any more: who listens to it learns that too.
        }
    }

    private async Task ListenAsync(Action<JsonElement>? heard)
    {
        try
        {
            while (await ReadAsync() is { } text && !IsOver)
            {
                var line = Parse(text);
                if (!line.TryGetProperty("id", out var id)) heard?.Invoke(line);
                else if (id.TryGetInt64(out var number) && waiting.Remove(number, out var answer)) answer.TrySetResult(line);
            }
        }
        finally
        {
            End();                                                     // nobody waits for a client that nobody listens to
        }
        if (!mayEnd) throw new LiveException($"client {name} ended by itself{LastWords}");
    }

    private async Task<string?> ReadAsync()
    {
        try
        {
            return await output.ReadLineAsync();
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException)
        {
            return null;
        }
    }

    private JsonElement Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : throw new JsonException();
        }
        catch (JsonException)
        {
            throw new LiveException($"client {name} said what is no line of the protocol: {text}");
        }
    }

    private void End()
    {
        IsOver = true;
        foreach (var answer in waiting.Values) answer.TrySetResult(null);
        waiting.Clear();
    }
}
