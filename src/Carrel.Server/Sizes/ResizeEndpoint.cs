using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Plans;

namespace Carrel.Server.Sizes;

/// <summary>PATCH /computers/{id}/resize (reference sections 4.11 and 25.10).</summary>
internal sealed class ResizeEndpoint(ComputerLookup lookup, Resizing resizing, PlanGuard plans)
{
    public async Task<IResult> RunAsync(HttpContext context, string id)
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

        var wanted = NewSize.Read(read.Value);
        if (read.Value.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        var record = computer!.State.Record;
        var room = plans.ForResize(record, record.Hardware with
        {
            Cpu = wanted.Vcpus ?? record.Hardware.Cpu,
            RamGb = wanted.MemGb ?? record.Hardware.RamGb,
            DiskGb = Math.Max(wanted.DiskGb ?? 0, record.Hardware.DiskGb),
        });
        if (!room.Succeeded)
        {
            return room.Failure.AsProblem();
        }

        using var taken = room.Value;
        var resized = await resizing.RunAsync(computer, wanted);
        return resized.Succeeded ? Answer(resized.Value, wanted, context) : resized.Failure.AsProblem();
    }

    private static IResult Answer(Resized resized, NewSize wanted, HttpContext context)
    {
        var (record, results) = resized;
        var failed = results.Values.Count(result => !result.Ok);
        var status = failed == 0 ? StatusCodes.Status200OK : failed < results.Count ? StatusCodes.Status207MultiStatus : StatusCodes.Status422UnprocessableEntity;
        var answer = new ResizeAnswer(
            record.Hardware.Cpu,
            record.Hardware.RamGb,
            record.Hardware.DiskGb,
            record.BandwidthMbps,
            wanted.AutoStopMinutes,
            results.Count > 0 ? results : null,
            Partial: status == StatusCodes.Status207MultiStatus);
        if (status == StatusCodes.Status422UnprocessableEntity)
        {
            var why = string.Join(' ', results.Select(result => $"{result.Key}: {result.Value.Error}"));
            answer = answer with { Error = $"Computer {record.Name} was not resized. {why}", Code = ErrorCodes.ResizeFailed, RequestId = context.TraceIdentifier };
        }

        return Results.Json(answer, ApiJson.Default.ResizeAnswer, statusCode: status);
    }
}
