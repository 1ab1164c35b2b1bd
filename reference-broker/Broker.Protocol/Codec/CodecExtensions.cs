using System.Runtime.CompilerServices;

namespace Broker.Protocol;

/// <summary>What every codec can do, built from what each does in its own way: arrays, enumerations, structs without tagged fields.</summary>
public static class CodecExtensions
{
    /// <summary>Ends a struct that has no tagged fields of its own.</summary>
    public static void EndOfFields<TCodec>(this ref TCodec c) where TCodec : struct, ICodec
    {
        var tags = c.BeginTags();
        c.EndOfFields(ref tags);
    }

    public static void Error<TCodec>(this ref TCodec c, ref ErrorCode value, [CallerArgumentExpression(nameof(value))] string field = "") where TCodec : struct, ICodec =>
        c.Int16(ref Unsafe.As<ErrorCode, short>(ref value), field);

    public static void Key<TCodec>(this ref TCodec c, ref ApiKey value, [CallerArgumentExpression(nameof(value))] string field = "") where TCodec : struct, ICodec =>
        c.Int16(ref Unsafe.As<ApiKey, short>(ref value), field);

    /// <summary>Bytes that brokers do not look into. Null, which some clients write for none, reads as empty.</summary>
    public static void Bytes<TCodec>(this ref TCodec c, ref ReadOnlyMemory<byte> value, [CallerArgumentExpression(nameof(value))] string field = "") where TCodec : struct, ICodec
    {
        ReadOnlyMemory<byte>? some = value;
        c.Records(ref some, field);
        value = some ?? ReadOnlyMemory<byte>.Empty;
    }

    public static void Array<TCodec, T>(this ref TCodec c, ref List<T> items, short version, [CallerArgumentExpression(nameof(items))] string field = "")
        where TCodec : struct, ICodec where T : IMessage, new()
    {
        List<T>? some = items;
        c.NullableArray(ref some, version, false, field);
        items = some!;
    }

    /// <param name="allowed">False in versions in which the array may not be null: null is then refused.</param>
    public static void NullableArray<TCodec, T>(this ref TCodec c, ref List<T>? items, short version, bool allowed = true, [CallerArgumentExpression(nameof(items))] string field = "")
        where TCodec : struct, ICodec where T : IMessage, new()
    {
        var count = items?.Count ?? -1;
        c.Count(ref count, allowed, field);
        if (c.Reads)
        {
            items = count < 0 ? null : new List<T>(count);
            for (var i = 0; i < count; i++)
            {
                var item = new T();
                item.Visit(ref c, version);
                items!.Add(item);
            }
        }
        else
        {
            for (var i = 0; i < count; i++) items![i].Visit(ref c, version);
        }
    }

    public static void Int32Array<TCodec>(this ref TCodec c, ref List<int> items, [CallerArgumentExpression(nameof(items))] string field = "") where TCodec : struct, ICodec
    {
        List<int>? some = items;
        c.NullableInt32Array(ref some, false, field);
        items = some!;
    }

    public static void NullableInt32Array<TCodec>(this ref TCodec c, ref List<int>? items, bool allowed = true, [CallerArgumentExpression(nameof(items))] string field = "")
        where TCodec : struct, ICodec
    {
        var count = Begin<TCodec, int>(ref c, ref items, allowed, field);
        for (var i = 0; i < count; i++)
        {
            var item = c.Reads ? 0 : items![i];
            c.Int32(ref item, field);
            if (c.Reads) items!.Add(item);
        }
    }

    public static void StringArray<TCodec>(this ref TCodec c, ref List<string> items, [CallerArgumentExpression(nameof(items))] string field = "") where TCodec : struct, ICodec
    {
        List<string>? some = items;
        c.NullableStringArray(ref some, false, field);
        items = some!;
    }

    public static void NullableStringArray<TCodec>(this ref TCodec c, ref List<string>? items, bool allowed = true, [CallerArgumentExpression(nameof(items))] string field = "")
        where TCodec : struct, ICodec
    {
        var count = Begin<TCodec, string>(ref c, ref items, allowed, field);
        for (var i = 0; i < count; i++)
        {
            var item = c.Reads ? "" : items![i];
            c.String(ref item, field);
            if (c.Reads) items!.Add(item);
        }
    }

    public static void UuidArray<TCodec>(this ref TCodec c, ref List<Guid> items, [CallerArgumentExpression(nameof(items))] string field = "") where TCodec : struct, ICodec
    {
        List<Guid>? some = items;
        var count = Begin<TCodec, Guid>(ref c, ref some, false, field);
        items = some!;
        for (var i = 0; i < count; i++)
        {
            var item = c.Reads ? default : items[i];
            c.Uuid(ref item, field);
            if (c.Reads) items.Add(item);
        }
    }

    /// <summary>The count of an array of primitives, and when reading the empty list for it.</summary>
    private static int Begin<TCodec, T>(ref TCodec c, ref List<T>? items, bool allowed, string field) where TCodec : struct, ICodec
    {
        var count = items?.Count ?? -1;
        c.Count(ref count, allowed, field);
        if (c.Reads) items = count < 0 ? null : new List<T>(count);
        return count;
    }
}
