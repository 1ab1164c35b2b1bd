using System.Text;
using Verify.History;

namespace Verify.Tests.History;

public sealed class HistoryFormatTests
{
    /// <summary>One event of every kind, with every field that there is.</summary>
    private static HistoryLog Everything()
    {
        var time = 0L;
        var recorder = new HistoryRecorder(new HistoryLog(), () => time += 1_000);
        var (p0, named, cat) = (recorder.Key("0"), recorder.Key("orders-0"), recorder.Name("cat \"\\ \u00e9\n"));
        var send = recorder.InvokeSend(3, p0, 7, cat);
        recorder.InvokeSend(4, named, TextValue.Of(recorder.Name("text"))).Info();
        recorder.InvokeSend(5, named, -12).Fail();
        send.Ok(41);
        recorder.InvokePoll(1).Ok([new PolledRecord(p0, 41, 7, cat), new PolledRecord(p0, 100_000_000_000, -5), new PolledRecord(named, -1, long.MaxValue)], [named, p0]);
        recorder.InvokePoll(1, final: true).Ok([]);
        var transaction = recorder.Invoke(2, EventFunction.Txn, [MicroOperation.Send(p0, 8), MicroOperation.Poll]).Begin(EventType.Ok);
        transaction.AddSend(p0, 8, 42);
        transaction.AddPoll([new PolledRecord(named, 1, 2)], []);
        transaction.SetDetail(new EventDetail { CommitInvokedTime = 17 });
        transaction.End();
        recorder.Assigned(1, [p0, named], seekToBeginning: true);
        recorder.Assignment(EventFunction.Revoked, EventType.Info, 1, [named], detail: new EventDetail { Group = recorder.Name("g"), Member = recorder.Name("m"), Generation = 4 });
        recorder.Commit(EventType.Ok, 1, [new KeyOffset(p0, 42), new KeyOffset(named, 0)], new EventDetail { Group = recorder.Name("g") });
        recorder.Processed(1, new EventDetail { Key = p0, Offset = 41, Value = 7 });
        Member(recorder, p0, named);
        recorder.Observe(new EventDetail { Kind = ObserveKind.Appended, Node = 2, Key = p0, Epoch = 5, Offset = 10, EndOffset = 12, Other = 3, Nodes = 0b1101 }, [7, TextValue.Of(cat)]);
        recorder.Topics(EventFunction.List, EventType.Ok, 1, [recorder.Name("t")], final: true);
        recorder.FinalReadFailed(1, [p0]);
        recorder.Crash(1);
        recorder.Heal();
        return recorder.Log;
    }

    /// <summary>All that the members of a group can do.</summary>
    private static void Member(HistoryRecorder recorder, int p0, int p1)
    {
        var group = new GroupRecorder(recorder, "group");
        group.Subscribed(6, [p0, p1]);
        var (known, unknown) = (group.InvokeAssigned(6, "m-1", 3, [p0, p1]), group.InvokeAssigned(7, "m-2", 3, []));
        known.Ok([new KeyOffset(p0, -1), new KeyOffset(p1, 5)]);
        unknown.Fail();
        group.Processed(6, "m-1", 3, new PolledRecord(p1, 5, 70));
        group.InvokeCommit(6, "m-1", 3, [new KeyOffset(p1, 6)]).Ok();
        group.InvokeCommit(6, "m-1", 3, [new KeyOffset(p1, 7)]).Info();
        group.InvokeCommit(6, "m-1", 2, [new KeyOffset(p0, 1)]).Fail();
        group.Revoked(6, "m-1", 3, [p0, p1]);
        group.Crashed(6);
        group.Drained(8, [p0]);
        group.NotDrained(8, [p1]);
    }

    private static string Json(HistoryLog log)
    {
        using var stream = new MemoryStream();
        HistoryJsonWriter.WriteAll(log, stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static byte[] Binary(HistoryLog log)
    {
        using var stream = new MemoryStream();
        using (var writer = new HistoryBinaryWriter(stream))
            foreach (var e in log) writer.Write(e);
        return stream.ToArray();
    }

    private static HistoryLog Read(string json) => HistoryJsonReader.ReadAll(new MemoryStream(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void What_is_written_as_json_reads_back_unchanged()
    {
        var json = Json(Everything());

        Assert.Equal(json, Json(Read(json)));
        Assert.Contains("{\"index\":3,\"time\":4000,\"process\":5,\"type\":\"invoke\",\"f\":\"send\"", json);
        Assert.Contains("\"emptyKeys\":[\"orders-0\",0]", json);
        Assert.Contains("\"offsets\":{\"0\":42,\"orders-0\":0}", json);
    }

    [Fact]
    public void A_member_of_a_group_tells_where_it_resumes_what_it_processed_and_what_it_committed()
    {
        var recorder = new HistoryRecorder(new HistoryLog(), () => 0);
        Member(recorder, recorder.Key("p0"), recorder.Key("p1"));

        var lines = Json(recorder.Log).Split('\n');
        Assert.Contains("""{"index":0,"time":0,"process":6,"type":"ok","f":"subscribe","keys":["p0","p1"],"group":"group"}""", lines);
        Assert.Contains("""{"index":1,"time":0,"process":6,"type":"invoke","f":"assigned","keys":["p0","p1"],"group":"group","member":"m-1","generation":3}""", lines);
        Assert.Contains("""{"index":3,"time":0,"process":6,"type":"ok","f":"assigned","keys":["p0","p1"],"group":"group","member":"m-1","generation":3,"offsets":{"p0":-1,"p1":5}}""", lines);
        Assert.Contains("""{"index":4,"time":0,"process":7,"type":"fail","f":"assigned","group":"group","member":"m-2","generation":3}""", lines);
        Assert.Contains("""{"index":5,"time":0,"process":6,"type":"ok","f":"process","group":"group","member":"m-1","generation":3,"key":"p1","offset":5,"value":70}""", lines);
        Assert.Contains("""{"index":6,"time":0,"process":6,"type":"invoke","f":"commit","group":"group","member":"m-1","generation":3,"offsets":{"p1":6}}""", lines);
        Assert.Contains("""{"index":7,"time":0,"process":6,"type":"ok","f":"commit","group":"group","member":"m-1","generation":3,"offsets":{"p1":6}}""", lines);
        Assert.Contains("""{"index":9,"time":0,"process":6,"type":"info","f":"commit","group":"group","member":"m-1","generation":3,"offsets":{"p1":7}}""", lines);
        Assert.Contains("""{"index":11,"time":0,"process":6,"type":"fail","f":"commit","group":"group","member":"m-1","generation":2,"offsets":{"p0":1}}""", lines);
        Assert.Contains("""{"index":12,"time":0,"process":6,"type":"ok","f":"revoked","keys":["p0","p1"],"group":"group","member":"m-1","generation":3}""", lines);
        Assert.Contains("""{"index":14,"time":0,"process":8,"type":"ok","f":"final","keys":["p0"],"group":"group"}""", lines);
        Assert.Contains("""{"index":15,"time":0,"process":8,"type":"info","f":"final","keys":["p1"],"group":"group"}""", lines);
    }

    [Fact]
    public void The_compact_form_holds_the_same_as_json()
    {
        var log = Everything();

        Assert.Equal(Json(log), Json(HistoryBinaryReader.ReadAll(new MemoryStream(Binary(log)))));
    }

    [Fact]
    public void A_compact_file_cut_off_at_any_byte_reads_back_up_to_its_last_whole_event()
    {
        var log = Everything();
        var (bytes, lines) = (Binary(log), Json(log).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        for (var length = 0; length < bytes.Length; length++)
        {
            var reader = new HistoryBinaryReader(new MemoryStream(bytes, 0, length));
            var read = new HistoryLog(reader.Keys, reader.Names);
            while (reader.Read(out var e)) read.Append(e);
            Assert.Equal(lines[..read.Count], Json(read).Split('\n', StringSplitOptions.RemoveEmptyEntries));
            Assert.True(read.Count < lines.Length);
        }
    }

    [Fact]
    public void A_damaged_compact_file_is_refused_or_reads_as_something_else_but_breaks_nothing()
    {
        var bytes = Binary(Everything());
        for (var i = 0; i < bytes.Length; i++)
        {
            var damaged = (byte[])bytes.Clone();
            damaged[i] ^= 0x15;
            try
            {
                HistoryBinaryReader.ReadAll(new MemoryStream(damaged));
            }
            catch (HistoryFormatException refused)
            {
                Assert.NotEmpty(refused.Problem);
            }
        }
    }

    [Fact]
    public void Spaces_order_of_fields_unknown_fields_and_empty_lines_do_not_matter()
    {
        var log = Read("\uFEFF\n  \n" + """ { "mops" : [ {"records":[ {"value":2,"key":"1","offset":3,"timestamp":{"a":[1]}} , {"key":1,"offset":4,"value":5},{"key":1,"offset":null,"value":6}],"op":"poll"}], "f":"poll","type":"ok","process":0,"error":["x"]} """ + "\r\n\n");

        var e = log[0];
        Assert.Equal(1, log.Count);
        Assert.Equal([new PolledRecord(0, 3, 2), new PolledRecord(0, 4, 5), new PolledRecord(0, -1, 6)], e.Records(e.Operations[0]).ToArray());
    }

    [Fact]
    public void A_list_that_starts_in_the_usual_shape_is_read_the_same_whatever_follows()
    {
        var log = Read("""{"process":0,"type":"ok","f":"poll","mops":[{"op":"poll","records":[{"key":"a-1","offset":0,"value":1},{"key":"a-1","offset":1,"value":2},{"key":"a-10","offset":1,"value":-2},{"key":7,"offset":0,"value":3},{"key":"a-1","offset":5,"value":"s"}],"emptyKeys":[7]}],"time":5}""");

        var e = log[0];
        Assert.Equal(["a-1", "a-1", "a-10", "7", "a-1"], e.Records(e.Operations[0]).ToArray().Select(r => log.Keys[r.Key]));
        Assert.Equal([1, 2, -2, 3], e.Records(e.Operations[0]).ToArray().Take(4).Select(r => r.Value));
        Assert.Equal("s", TextValue.Show(e.Records(e.Operations[0])[4].Value, log.Names));
        Assert.Equal((5L, "7"), (e.Time, log.Keys[e.EmptyKeys(e.Operations[0])[0]]));
    }

    [Theory]
    [InlineData("[1]", "", "one JSON object")]
    [InlineData("{\"type\":\"ok\"", "type", "not valid JSON")]
    [InlineData("{\"f\":\"send\",\"process\":1}", "type", "missing")]
    [InlineData("{\"type\":\"ok\",\"process\":1}", "f", "missing")]
    [InlineData("{\"type\":\"ok\",\"f\":\"send\"}", "process", "missing")]
    [InlineData("{\"type\":\"ok\",\"f\":\"process\",\"process\":1,\"offset\":4}", "key", "missing")]
    [InlineData("{\"type\":\"ok\",\"f\":\"process\",\"process\":1,\"key\":4,\"offset\":null}", "offset", "no value either")]
    [InlineData("{\"type\":\"okay\",\"f\":\"send\",\"process\":1}", "type", "invoke, ok, fail or info")]
    [InlineData("{\"type\":\"ok\",\"f\":7,\"process\":1}", "f", "word")]
    [InlineData("{\"type\":\"ok\",\"f\":\"sned\",\"process\":1,\"mops\":[{\"op\":\"send\",\"key\":1,\"value\":1}]}", "f", "send, poll or txn")]
    [InlineData("{\"type\":\"ok\",\"f\":\"send\",\"process\":-3}", "process", "number from 0")]
    [InlineData("{\"type\":\"ok\",\"f\":\"send\",\"process\":1,\"time\":1.5}", "time", "integer")]
    [InlineData("{\"type\":\"ok\",\"f\":\"send\",\"process\":1,\"mops\":{}}", "mops", "list")]
    [InlineData("{\"type\":\"ok\",\"f\":\"send\",\"process\":1,\"mops\":[],\"mops\":[]}", "mops", "twice")]
    [InlineData("{\"type\":\"ok\",\"f\":\"send\",\"process\":1,\"mops\":[{\"op\":\"push\"}]}", "mops[0].op", "send or poll")]
    [InlineData("{\"type\":\"ok\",\"f\":\"send\",\"process\":1,\"mops\":[{\"op\":\"poll\"},{\"key\":1}]}", "mops[1].op", "missing")]
    [InlineData("{\"type\":\"ok\",\"f\":\"send\",\"process\":1,\"mops\":[{\"op\":\"send\",\"value\":1}]}", "mops[0].key", "missing")]
    [InlineData("{\"type\":\"ok\",\"f\":\"send\",\"process\":1,\"mops\":[{\"op\":\"send\",\"key\":1}]}", "mops[0].value", "missing")]
    [InlineData("{\"type\":\"ok\",\"f\":\"send\",\"process\":1,\"mops\":[{\"op\":\"send\",\"key\":1,\"value\":1,\"offset\":-2}]}", "mops[0].offset", "integer from 0")]
    [InlineData("{\"type\":\"ok\",\"f\":\"poll\",\"process\":1,\"mops\":[{\"op\":\"poll\",\"records\":[{\"key\":1,\"offset\":1,\"value\":2.5}]}]}", "mops[0].records.value", "64-bit integer or a string")]
    [InlineData("{\"type\":\"ok\",\"f\":\"poll\",\"process\":1,\"mops\":[{\"op\":\"poll\",\"records\":[{\"key\":1,\"offset\":1,\"value\":99999999999999999999}]}]}", "mops[0].records.value", "64-bit")]
    [InlineData("{\"type\":\"ok\",\"f\":\"poll\",\"process\":1,\"mops\":[{\"op\":\"poll\",\"records\":[{\"key\":1,\"offset\":1,\"value\":2},]}]}", "mops[0].records.value", "not valid JSON")]
    [InlineData("{\"type\":\"ok\",\"f\":\"poll\",\"process\":1,\"mops\":[{\"op\":\"poll\",\"records\":[{\"key\":1,\"offset\":01,\"value\":2}]}]}", "mops[0].records.offset", "not valid JSON")]
    [InlineData("{\"type\":\"ok\",\"f\":\"poll\",\"process\":1,\"mops\":[{\"op\":\"poll\",\"records\":[7]}]}", "mops[0].records", "objects")]
    [InlineData("{\"type\":\"ok\",\"f\":\"crash\",\"process\":1} x", "", "not valid JSON")]
    public void A_malformed_line_is_refused_with_its_number_and_field(string line, string field, string problem)
    {
        const string good = "{\"type\":\"info\",\"f\":\"crash\",\"process\":1}\n";

        var refused = Assert.Throws<HistoryFormatException>(() => Read(good + "\n" + line + "\n" + good));

        Assert.Equal(3, refused.Line);
        Assert.Equal(field, refused.Field);
        Assert.Contains(problem, refused.Message);
    }

    [Fact]
    public void Bytes_that_are_not_text_are_refused()
    {
        byte[] line = [.. "{\"type\":\"info\",\"f\":\"crash\",\"process\":\""u8, 0xC3, 0x28, .. "\"}"u8];

        Assert.Equal("process", Assert.Throws<HistoryFormatException>(() => HistoryJsonReader.ReadAll(new MemoryStream(line))).Field);
    }

    [Fact]
    public void Damaged_json_is_refused_or_reads_as_something_else_but_breaks_nothing()
    {
        var bytes = Encoding.UTF8.GetBytes(Json(Everything()));
        var refusals = 0;
        foreach (var damage in "\"x{]0,\\\n"u8.ToArray().Append((byte)0xFF))
            for (var i = 0; i < bytes.Length; i++)
            {
                var damaged = (byte[])bytes.Clone();
                damaged[i] = damage;
                try
                {
                    HistoryJsonReader.ReadAll(new MemoryStream(damaged));
                }
                catch (HistoryFormatException refused)
                {
                    Assert.InRange(refused.Line, 1, 40);
                    refusals++;
                }
            }
        Assert.True(refusals > bytes.Length, $"{refusals} refusals");
    }

    [Fact]
    public void A_log_that_is_used_again_is_as_new()
    {
        var log = Everything();

        log.Reset();

        Assert.Equal((0, 0, 0), (log.Count, log.Keys.Count, log.Names.Count));
        Assert.Equal(0, log.Keys.Intern(5));
        new HistoryRecorder(log, () => 0).Crash(3);
        Assert.Equal((0L, 1), (log[0].Index, log.Count));
    }

    [Fact]
    public void Lines_longer_than_the_buffer_and_streams_in_small_pieces_are_read()
    {
        var log = new HistoryLog();
        log.Begin(EventType.Ok, EventFunction.Poll, 0, 0);
        log.BeginPoll();
        for (var i = 0; i < 50_000; i++) log.AddRecord(log.Keys.Intern(i % 3), i, i);
        log.EndPoll();
        log.End();
        var json = Json(log) + Json(log);

        using var slow = new SlowStream(Encoding.UTF8.GetBytes(json));
        Assert.Equal(json, Json(HistoryJsonReader.ReadAll(slow)));
    }

    /// <summary>Gives at most 1,000 bytes at a time.</summary>
    private sealed class SlowStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, 1_000));
    }
}
