using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Actions;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.State;
using Carrel.Server.Waking;

namespace Carrel.Server.Streaming;

/// <summary>
/// A computer's stream (reference section 9). What is true of it deskd knows, so a server that comes back has nothing to
/// remember; here the target's name becomes its address and key.
/// </summary>
internal sealed class StreamEndpoints(ComputerLookup lookup, MachineAccess machines, StreamConnectionStore store, SecretBox secrets, TimeProvider clock)
{
    /// <summary>deskd answers within 20 s whether pictures flow, and needs some to end an ffmpeg that hangs.</summary>
    private static readonly TimeSpan StartAllowance = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan Allowance = TimeSpan.FromSeconds(30);

    private static readonly Regex Size = new("^([0-9]{2,4})x([0-9]{2,4})(?:x[0-9]{1,2})?$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);

    public async Task<IResult> StartAsync(HttpContext context, string id)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var fields = read.Value;
        var name = fields.RequiredText(200, "connection_name");
        var order = Read(fields);
        if (fields.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        if (await store.FindByNameAsync(context.Caller().AccountId, name) is not { } connection)
        {
            return Problem.NotFound($"No stream connection named {name}.");
        }

        var entered = await machines.EnterAsync(context, computer!);
        if (!entered.Succeeded)
        {
            return entered.Failure.AsProblem();
        }

        var session = entered.Value;

        order["name"] = connection.Name;
        order["url"] = connection.Url;
        if (connection.StreamKey is { } key)
        {
            order["stream_key"] = secrets.Open(key);
        }

        var started = await session.AskAsync(HttpMethod.Post, "/stream/start", order, readOnly: false, StartAllowance, clock, context.RequestAborted);
        return started.Succeeded ? Shown(started.Value, success: true) : started.Failure.AsProblem();
    }

    public async Task<IResult> StatusAsync(HttpContext context, string id)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        // A computer that does not run streams nothing.
        if (computer!.State.Usable is not { } session)
        {
            return Shown(default, success: null);
        }

        var status = await session.AskAsync(HttpMethod.Get, "/stream/status", null, readOnly: true, Allowance, clock, context.RequestAborted);
        return status.Succeeded ? Shown(status.Value, success: null) : status.Failure.AsProblem();
    }

    public async Task<IResult> StopAsync(HttpContext context, string id)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        if (computer!.State.Usable is { } session)
        {
            // Ending what has ended does no harm.
            var stopped = await session.AskAsync(HttpMethod.Post, "/stream/stop", [], readOnly: true, Allowance, clock, context.RequestAborted);
            if (!stopped.Succeeded)
            {
                return stopped.Failure.AsProblem();
            }
        }

        return Results.Json(new SuccessAnswer(true), ApiJson.Default.SuccessAnswer);
    }

    private static JsonObject Read(JsonFields fields)
    {
        var order = new JsonObject
        {
            ["fps"] = fields.Whole(1, 60, "fps") ?? 15,
            ["bitrate_kbps"] = fields.Whole(100, 20_000, "bitrate_kbps") ?? 2500,
            ["silent"] = !(fields.Flag("audio") ?? true),
            ["reconnect_seconds"] = fields.Whole(0, 3600, "reconnect_seconds") ?? 300,
        };
        if (fields.Text(20, "resolution") is not { } resolution)
        {
            return order;
        }

        var match = Size.Match(resolution);
        var (width, height) = match.Success
            ? (int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture))
            : (0, 0);
        if (width is < 160 or > 3840 || height is < 90 or > 2160)
        {
            fields.Refuse("resolution", $"must look like 1280x720, 160-3840 by 90-2160, but is {resolution}");
        }

        (order["width"], order["height"]) = (width, height);
        return order;
    }

    /// <summary>Of what the desktop says, what the API knows, in its forms.</summary>
    private static IResult Shown(JsonElement said, bool? success)
    {
        var there = said.ValueKind == JsonValueKind.Object && said.TextOf("status") is "streaming" or "terminated";
        var answer = there
            ? new StreamStatusAnswer(
                success,
                said.TextOf("status")!,
                said.TextOf("connection_name"),
                Time(said, "start_time"),
                (int?)said.NumberOf("pid"),
                said.TryGetProperty("reconnecting", out var again) && again.ValueKind == JsonValueKind.True,
                (int?)said.NumberOf("reconnects"),
                said.TextOf("reason"),
                Time(said, "ended_at"))
            : new StreamStatusAnswer(success, "idle");
        return Results.Json(answer, ApiJson.Default.StreamStatusAnswer);
    }

    private static DateTimeOffset? Time(JsonElement said, string name) =>
        DateTimeOffset.TryParse(said.TextOf(name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
