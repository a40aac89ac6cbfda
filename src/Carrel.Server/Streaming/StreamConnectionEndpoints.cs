using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Errors;
using Carrel.Server.Idempotency;
using Carrel.Server.State;

namespace Carrel.Server.Streaming;

/// <summary>
/// RTMP targets (reference section 25.15). They are the account's: a key that is limited to a workspace may see and use them,
/// and change none.
/// </summary>
internal sealed class StreamConnectionEndpoints(StreamConnectionStore store, SecretBox secrets, IIdFactory ids, TimeProvider clock)
{
    /// <summary>So long may each be for ffmpeg to read it.</summary>
    private const int LongestField = 900;

    public async Task<IResult> ListAsync(HttpContext context) => Results.Json(
        new StreamConnectionList([.. (await store.OfAccountAsync(context.Caller().AccountId)).Select(connection => connection.ToAnswer())]),
        ApiJson.Default.StreamConnectionList);

    public async Task<IResult> GetAsync(HttpContext context, string id) =>
        await FindAsync(context, id) is { } connection ? Shown(connection) : Missing(id);

    public async Task<IResult> CreateAsync(HttpContext context)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var blank = new StreamConnection { Id = ids.NewId().ToString(), AccountId = context.Caller().AccountId, CreatedAt = now };
        var (connection, problem) = await ReadAsync(context, blank, isNew: true);
        if (problem is not null)
        {
            return problem;
        }

        await context.WillMakeAsync(connection!.Id);
        return await store.InsertAsync(connection!) ? Shown(connection!, StatusCodes.Status201Created) : Taken(connection!);
    }

    /// <summary>The answer for a target that was made before, if it was.</summary>
    public async Task<IResult?> MadeAsync(HttpContext context, string id) =>
        await FindAsync(context, id) is { } connection ? Shown(connection, StatusCodes.Status201Created) : null;

    public async Task<IResult> ChangeAsync(HttpContext context, string id)
    {
        if (await FindAsync(context, id) is not { } before)
        {
            return Missing(id);
        }

        var (connection, problem) = await ReadAsync(context, before, isNew: false);
        if (problem is not null)
        {
            return problem;
        }

        return await store.UpdateAsync(connection!) ? Shown(connection!) : Taken(connection!);
    }

    public async Task<IResult> DeleteAsync(HttpContext context, string id)
    {
        if (context.Caller() is { WorkspaceId: not null } limited)
        {
            return limited.Mismatch(null);
        }

        if (await FindAsync(context, id) is not { } connection)
        {
            return Missing(id);
        }

        await store.DeleteAsync(connection.Id);
        return Results.Json(new SuccessAnswer(true), ApiJson.Default.SuccessAnswer);
    }

    private async Task<(StreamConnection? Connection, IResult? Problem)> ReadAsync(HttpContext context, StreamConnection before, bool isNew)
    {
        if (context.Caller() is { WorkspaceId: not null } limited)
        {
            return (null, limited.Mismatch(null));
        }

        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return (null, read.Failure.AsProblem());
        }

        var fields = read.Value;
        var name = isNew || fields.Has("name") ? fields.RequiredText(200, "name") : before.Name;
        var url = isNew || fields.Has("url") ? fields.RequiredText(LongestField, "url") : before.Url;
        var key = fields.Text(LongestField, "stream_key");
        if (name.Any(char.IsControl))
        {
            fields.Refuse("name", "must not contain control characters");
        }

        if (!IsTarget(url))
        {
            fields.Refuse("url", "must be like rtmp://host[:port]/application or rtmps://..., without a user or spaces");
        }

        if (key is not null && key.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)))
        {
            fields.Refuse("stream_key", "must not contain spaces or control characters");
        }

        return fields.Wrong is { } wrong
            ? (null, wrong.AsProblem())
            : (new StreamConnection
            {
                Id = before.Id,
                AccountId = before.AccountId,
                Name = name,
                Url = url,
                StreamKey = key switch { null => before.StreamKey, "" => null, _ => secrets.Seal(key) },
                CreatedAt = before.CreatedAt,
                UpdatedAt = clock.GetUtcNow().ToUnixTimeMilliseconds(),
            }, null);
    }

    private Task<StreamConnection?> FindAsync(HttpContext context, string id) => store.FindAsync(context.Caller().AccountId, id.ToLowerInvariant());

    private static bool IsTarget(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var parsed)
        && parsed is { Scheme: "rtmp" or "rtmps", Host.Length: > 0, UserInfo.Length: 0, Fragment.Length: 0 }
        && parsed.PathAndQuery.Trim('/').Length > 0
        && !url.Any(c => char.IsControl(c) || char.IsWhiteSpace(c));

    private static IResult Shown(StreamConnection connection, int status = 200) =>
        Results.Json(connection.ToAnswer(), ApiJson.Default.StreamConnectionAnswer, statusCode: status);

    private static Problem Missing(string id) => Problem.NotFound($"No stream connection {id}.");

    private static Problem Taken(StreamConnection connection) =>
        new Failure(ErrorCodes.NameTaken, $"A stream connection named {connection.Name} already exists.", "Choose another name.").AsProblem();
}
